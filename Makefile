# Latchkey.  `make help` tells the verbs.
#
# One binary is made of Debian's Kore source (with the patches of app/kore) and
# of ours; two more programs share all that does not need Kore.  Objects go to
# $O, so that builds with other flags (asan, clang) live beside each other.

O	?= build
ifeq ($(origin CC),default)
CC	= gcc
endif
SAN	?=
OPT	?= -O2
KORE	:= /usr/share/kore
PYTHON	:= /usr/bin/python3
# V=1 shows whole commands.
SAY	= $(if $(V),,@echo '  $(1)	$@';)

WARN	= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	  -Wmissing-prototypes -Wwrite-strings -Wpointer-arith -Wformat=2 \
	  -Wundef -Wvla -Wcast-qual $(FRAME)
FRAME	= -Wframe-larger-than=4096
HARD	= -fstack-protector-strong -fstack-clash-protection -fPIE \
	  -D_FORTIFY_SOURCE=2
LINK	= -pie -rdynamic -Wl,-z,relro,-z,now,-z,noexecstack
ifneq ($(SAN),)
# gcc's sanitizers add a branch for a format of NULL, and then warn of it.
HARD	= -fPIE -fno-omit-frame-pointer -Wno-format-truncation $(if $(findstring clang,$(CC)),-Wno-unknown-warning-option)
FRAME	=
endif
# The sanitizers' own threads and maps are no business of the sandbox.
SANDBOX	= $(if $(SAN),SECCOMP_RET_ALLOW,SECCOMP_RET_KILL_PROCESS)
FEATURE	= -DKORE_SINGLE_BINARY -DKORE_USE_TASKS \
	  -DSECCOMP_KILL_POLICY=$(SANDBOX) \
	  $(if $(SAN),-DKORE_NO_SECCOMP_FILTERS)
KCFLAGS	= $(OPT) -g $(HARD) $(SAN) $(FEATURE) -std=c99 -D_GNU_SOURCE=1 \
	  -D_FILE_OFFSET_BITS=64 -DPREFIX='"/usr"' -w -I$O/kore/include/kore \
	  -I$O
CFLAGS	= $(OPT) -g $(WARN) $(HARD) $(SAN) -std=gnu11 -D_GNU_SOURCE=1 \
	  -D_FILE_OFFSET_BITS=64 -Iapp -I$O -isystem /usr/include/postgresql \
	  -include base/banned.h -MMD -MP
LIBS	= -lssl -lcrypto -lpq -lsodium -lutf8proc -licui18n -licuuc -lidn2 -lzxcvbn -lcurl \
	  -loath -lqrencode -lfido2 -lcbor -ljansson -ljose -lcmark -lhiredis -lpthread -ldl -lm

KORE_C	:= kore buf config connection domain filemap fileref json mem msg \
	   module net pool runtime timer utils worker keymgr auth accesslog \
	   http validator websocket linux seccomp tasks

# What includes <kore/...>; the rest goes into the library.
PORTAL_C := $(wildcard app/*.c app/*/*_kore.c)
TOOL_C	:= app/ctl/ctl.c
COURIER_C := app/courier/courier.c
LIB_C	:= $(filter-out $(PORTAL_C) $(TOOL_C) $(COURIER_C),\
	   $(wildcard app/*/*.c)) $O/gen/common_passwords.c \
	   $O/gen/openapi.c
PORTAL_O := $(PORTAL_C:%.c=$O/%.o)
LIB_O	:= $(LIB_C:%.c=$O/%.o)
LIB_O	:= $(LIB_O:$O/$O/%=$O/%)
KORE_O	:= $(KORE_C:%=$O/kore/%.o) $O/kore/version.o $O/kore/conf.o
TEST_C	:= $(wildcard tests/*/*_test.c)
TESTS	:= $(TEST_C:tests/%.c=$O/tests/%)
FUZZ	:= $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
REPLAYS	:= $(FUZZ:%=$O/tests/fuzz/%_replay)
FUZZ_S	?= 30

.PHONY: all help run test check asan fuzz bench bench-gateway bench-rotation bench-scale format tidy \
	deb clean packages-run packages-test unit assets fuzzers
all: $O/latchkey $O/latchkeyctl $O/latchkey-courier assets

help:
	@printf '%s\n' \
	'make            build everything into $O/' \
	'make run        install what is missing, build, start it all on localhost' \
	'make test       install what is missing, run every suite' \
	'make check      the quick part of it: lints and unit tests' \
	'make asan       the suites on a build with ASan and UBSan' \
	'make fuzz       libFuzzer targets, FUZZ_S seconds each (30)' \
	'make bench      speeds, as ratios in one run, and the three below' \
	'make bench-gateway  the gateway check, among a million keys' \
	'make bench-rotation  new keys for 100,000 subscriptions' \
	'make bench-scale  the queue among a million requests' \
	'make format     clang-format over app/ and tests/' \
	'make tidy       clang-tidy over app/' \
	'make deb        a Debian package of it all, in $O/' \
	'make clean      remove build folders'

# ---- Kore: Debian's source, patched --------------------------------------
$O/kore/.patched: $(wildcard app/kore/*.patch) $(KORE)/RELEASE
	rm -rf $O/kore && mkdir -p $O/kore
	cp -r $(KORE)/src $(KORE)/include $(KORE)/misc $O/kore/
	for p in app/kore/*.patch; do \
	    patch -s -p1 -d $O/kore < $$p || exit 1; done
	cd $O/kore && ./misc/linux-platform.sh > include/kore/platform.h
	cp $O/kore/include/kore/platform.h $O/platform.h
	touch $@
$O/kore/%.o: $O/kore/.patched
	$(call SAY,CC)$(CC) $(KCFLAGS) -c -o $@ $O/kore/src/$*.c
$O/kore/version.o: $O/kore/.patched
	printf 'const char *kore_version = "%s";\n' "$$(cat $(KORE)/RELEASE)" | \
	    $(CC) $(KCFLAGS) -xc -c -o $@ -
$O/kore/conf.o: app/kore/kore.conf $O/kore/.patched
	printf '%s\n' '#include <stdint.h>' \
	'__asm__(".section .rodata\n.global asset_builtin_kore_conf\n"' \
	'"asset_builtin_kore_conf:\n.incbin \"$<\"\n1:\n.byte 0\n.balign 4\n"' \
	'".global asset_len_builtin_kore_conf\nasset_len_builtin_kore_conf:\n"' \
	'".int 1b - asset_builtin_kore_conf\n.previous\n");' | \
	    $(CC) $(KCFLAGS) -xc -c -o $@ -

# ---- ours ----------------------------------------------------------------
$O/app/%.o: app/%.c Makefile | $O/kore/.patched $O/gen/schema_expect.h
	@mkdir -p $(@D)
	$(call SAY,CC)$(CC) $(CFLAGS) $(if $(filter $<,$(PORTAL_C)),$(FEATURE) \
	    -isystem $O/kore/include) -c -o $@ $<
# Kore's structs are theirs too: a patch that changes one rebuilds them.
$(PORTAL_O): $O/kore/.patched
$O/gen/%.o: $O/gen/%.c
	$(call SAY,CC)$(CC) $(CFLAGS) -c -o $@ $<

# The change that the schema must be at, for the start-up check.
$O/gen/schema_expect.h: $(wildcard migrations/sqitch.plan migrations/sqitch.conf)
	@mkdir -p $(@D)
	cd migrations && sqitch plan --no-headers --format format:'%H %n' | \
	    awk 'NF { h = $$1; n++ } END { \
	    printf "#define SCHEMA_CHANGE_ID \"%s\"\n", h; \
	    printf "#define SCHEMA_CHANGES %d\n", n }' > $(abspath $@).new
	mv $@.new $@
$O/gen/common_passwords.c: app/crypto/common_passwords.py app/crypto/password.h
	@mkdir -p $(@D)
	$(PYTHON) $< > $@.new && mv $@.new $@

$O/gen/openapi.c: app/api/openapi.py
	@mkdir -p $(@D)
	$(PYTHON) -B $< --c > $@.new && mv $@.new $@

$O/liblatchkey.a: $(LIB_O)
	$(call SAY,AR)rm -f $@ && ar rcs $@ $(LIB_O)
$O/latchkey: $(KORE_O) $(PORTAL_O) $O/liblatchkey.a
	$(call SAY,LD)$(CC) $(LINK) $(SAN) -o $@ $^ $(LIBS)
$O/latchkeyctl: $O/app/ctl/ctl.o $O/liblatchkey.a
	$(call SAY,LD)$(CC) $(LINK) $(SAN) -o $@ $^ $(LIBS)
$O/latchkey-courier: $O/app/courier/courier.o $O/liblatchkey.a
	$(call SAY,LD)$(CC) $(LINK) $(SAN) -o $@ $^ $(LIBS)

# Fingerprinted copies, gzipped, and the list of them: see assets/build.py.
assets: $O/assets/.made
$O/assets/.made: assets/build.py $(wildcard assets/*) | $O/kore/.patched
	$(PYTHON) assets/build.py assets $O/assets
	touch $@

# ---- tests ---------------------------------------------------------------
$O/tests/%_test: tests/%_test.c $O/liblatchkey.a
	@mkdir -p $(@D)
	$(call SAY,CC)$(CC) $(CFLAGS) -Itests $(LINK) $(SAN) -o $@ $< $O/liblatchkey.a \
	    -lcmocka $(LIBS)
# Programs that tests in other languages drive.
$O/tests/%: tests/%.c $O/liblatchkey.a
	@mkdir -p $(@D)
	$(call SAY,CC)$(CC) $(CFLAGS) -Itests $(LINK) $(SAN) -o $@ $< $O/liblatchkey.a \
	    $(LIBS)
# Every fuzz target's corpus, replayed once: a test of each run.
$O/tests/fuzz/%_replay: tests/fuzz/%_fuzz.c tests/fuzz/replay.c \
    $O/liblatchkey.a
	@mkdir -p $(@D)
	$(call SAY,CC)$(CC) $(CFLAGS) $(LINK) $(SAN) -o $@ \
	    -DCORPUS='"tests/fuzz/corpus/$*"' $< tests/fuzz/replay.c \
	    $O/liblatchkey.a -lcmocka $(LIBS)
unit: $(TESTS) $(REPLAYS) $O/tests/web/mustache_render \
    $O/tests/bench/gateway_macs $O/tests/bench/gateway_hit \
    $O/tests/keys/key_mac

packages-run:
	@conf/dev/install.sh conf/dev/packages-run.txt
packages-test:
	@conf/dev/install.sh conf/dev/packages-run.txt conf/dev/packages-test.txt

run: packages-run
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@exec setpriv --pdeathsig TERM conf/dev/run.sh

test: packages-test
	@$(MAKE) --no-print-directory -j$$(nproc) all unit
	@tests/run.sh $O

check: all unit
	@tests/run.sh $O lint unit

asan: packages-test
	@$(MAKE) --no-print-directory -j$$(nproc) O=build-asan OPT=-O1 \
	    SAN=-fsanitize=address,undefined all unit
	@tests/run.sh build-asan

# Fuzzers run one after the other; an input that breaks something is put into
# the corpus of tests/fuzz, which `make test` replays.
$O/fuzz/%: tests/fuzz/%_fuzz.c $O/liblatchkey.a
	@mkdir -p $(@D)
	$(call SAY,CC)$(CC) $(CFLAGS) $(SAN) -fsanitize=fuzzer -pie -o $@ $< \
	    $O/liblatchkey.a $(LIBS)
fuzzers: $(FUZZ:%=$O/fuzz/%)
fuzz: packages-test
	@$(MAKE) --no-print-directory -j$$(nproc) O=build-fuzz CC=clang OPT=-O1 \
	    SAN=-fsanitize=fuzzer-no-link,address,undefined fuzzers
	@for t in $(FUZZ); do echo "fuzz: $$t, $(FUZZ_S) s"; \
	    mkdir -p build-fuzz/corpus/$$t; \
	    build-fuzz/fuzz/$$t -max_total_time=$(FUZZ_S) -rss_limit_mb=2048 \
	    -max_len=4096 -timeout=5 -print_final_stats=0 -verbosity=0 \
	    -artifact_prefix=tests/fuzz/corpus/$$t/ \
	    build-fuzz/corpus/$$t tests/fuzz/corpus/$$t || exit 1; done

# About a minute; other work on the machine shows in the figures.
bench: packages-test
	@$(MAKE) --no-print-directory all
	@LATCHKEY_BUILD=$O $(PYTHON) -B tests/bench/bench.py
	@LATCHKEY_BUILD=$O $(PYTHON) -B tests/bench/gateway.py
	@LATCHKEY_BUILD=$O $(PYTHON) -B tests/bench/tokens.py
	@LATCHKEY_BUILD=$O $(PYTHON) -B tests/bench/rotation.py
	@LATCHKEY_BUILD=$O $(PYTHON) -B tests/bench/scale.py
# Loads a million keys first: about three minutes.
bench-gateway: packages-test
	@$(MAKE) --no-print-directory -j$$(nproc) all unit
	@LATCHKEY_BUILD=$O $(PYTHON) -B tests/bench/gateway.py
# Two minutes; other work on the machine shows in the figures.
bench-rotation: packages-test
	@$(MAKE) --no-print-directory all
	@LATCHKEY_BUILD=$O $(PYTHON) -B tests/bench/rotation.py
# Loads a million requests first: three to five minutes.
bench-scale: packages-test
	@$(MAKE) --no-print-directory all
	@LATCHKEY_BUILD=$O $(PYTHON) -B tests/bench/scale.py

format:
	@conf/dev/format.py $$(git ls-files 'app/*.[ch]' 'tests/*.[ch]')

deb: packages-run
	@conf/dev/install.sh conf/dev/packages-deb.txt
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@conf/deb/build.sh $O

tidy:
	clang-tidy --quiet $(filter-out $(PORTAL_C),$(wildcard app/*/*.c)) -- \
	    -std=gnu11 -D_GNU_SOURCE=1 -Iapp -I$O -isystem \
	    /usr/include/postgresql -include base/banned.h

clean:
	rm -rf build build-*

-include $(PORTAL_O:.o=.d) $(LIB_O:.o=.d) $(TESTS:=.d) \
    $(TOOL_C:%.c=$O/%.d) $(COURIER_C:%.c=$O/%.d)
.DELETE_ON_ERROR:
.SECONDARY:
