#!/bin/sh
# build.sh BUILD: makes BUILD/latchkey_VERSION_ARCH.deb of a finished build:
# the three programs, templates, assets, migrations, units for systemd, and the
# examples of settings and nginx.  Two runs on one commit make the same bytes.
set -eu
build=${1:?build folder}
cd "$(dirname "$0")/../.."
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH
version=0.$(git rev-list --count HEAD 2>/dev/null || echo 0)
arch=$(dpkg --print-architecture)
root=$stage/root
share=$root/usr/share/latchkey
doc=$root/usr/share/doc/latchkey
units=$root/lib/systemd/system

umask 022
mkdir -p "$root/DEBIAN" "$root/usr/bin" "$share/assets" "$units" \
    "$doc/examples" "$stage/debian"
for program in latchkey latchkeyctl latchkey-courier; do
	install -m 755 "$build/$program" "$root/usr/bin/"
	strip --strip-unneeded "$root/usr/bin/$program"
done
cp -R templates migrations "$share/"
find "$build/assets" -maxdepth 1 -type f ! -name '.*' \
    -exec cp {} "$share/assets/" \;
install -m 644 conf/latchkey.service conf/latchkey-courier.service "$units/"
install -m 644 conf/latchkey.env.example "$doc/examples/"
cp -R conf/nginx "$doc/examples/"
install -m 644 README.md "$doc/"
[ ! -e LICENSE ] || install -m 644 LICENSE "$doc/copyright"
find "$root" -type d -exec chmod 755 {} + -o -type f ! -path '*/usr/bin/*' \
    -exec chmod 644 {} +

# Libraries and their versions, as the linker found them.
printf 'Source: latchkey\nPackage: latchkey\nArchitecture: any\n' \
    > "$stage/debian/control"
depends=$(cd "$stage" && dpkg-shlibdeps -O --warnings=0 root/usr/bin/* |
    sed -n 's/^shlibs:Depends=//p')
cat > "$root/DEBIAN/control" <<END
Package: latchkey
Version: $version
Architecture: $arch
Maintainer: Latchkey <latchkey@localhost>
Section: web
Priority: optional
Depends: $depends, adduser, sqitch, libdbd-pg-perl
Recommends: postgresql-15, nginx
Description: self-hosted developer portal that hands out keys to APIs
 Contacts of clients ask for a key, staff approve, the tenant owns it.  Holds
 the portal, the courier that sends its mail, and the operators' tool.
END
cat > "$root/DEBIAN/postinst" <<'END'
#!/bin/sh
# A user without rights, and a place for settings that only root reads.
set -e
if [ "$1" = configure ]; then
	getent passwd latchkey >/dev/null || adduser --system --group \
	    --no-create-home --home /nonexistent --quiet latchkey
	[ -d /etc/latchkey ] || install -d -m 750 -g latchkey /etc/latchkey
	[ ! -d /run/systemd/system ] || systemctl daemon-reload
fi
END
cat > "$root/DEBIAN/prerm" <<'END'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl stop latchkey.service latchkey-courier.service
fi
END
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm"
rm -f "$build"/latchkey_*.deb
dpkg-deb --root-owner-group -Zxz --build "$root" \
    "$build/latchkey_${version}_$arch.deb"
