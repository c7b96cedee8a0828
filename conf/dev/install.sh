#!/bin/sh
# install.sh LIST...: installs the Debian packages of the lists that are
# missing; says nothing and needs no rights where all are there.
set -eu
missing=
for package in $(cat "$@" | sed 's/#.*//'); do
	[ "$package" = make ] && continue
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
	    grep -qx installed || missing="$missing $package"
done
# Debian's npm only where there is none: another one does as well, and brings
# its own Node.js, which Debian's would stand in the way of.
command -v npm >/dev/null || missing="$missing npm"
[ -z "$missing" ] && exit 0
echo "installing:$missing"
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "install.sh: as root, run: apt-get install$missing" >&2
		exit 1
	}
	sudo=sudo
fi
# A package that brings a server must not start it here: the cluster is ours.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
	made=yes
fi
trap '[ -n "$made" ] && $sudo rm -f $policy' EXIT
# Debian's postgresql-common makes a cluster at install unless told not to.
$sudo mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
    echo 'create_main_cluster = false' |
    $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
    --no-install-recommends $missing >/dev/null
