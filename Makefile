# apprunner: AWS App Runner client for Lua. `make help` lists the targets.

LUA ?= lua5.4
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g

# LuaJIT loads what is built with the headers of Lua 5.1.
ABI := $(if $(filter luajit%,$(LUA)),5.1,$(LUA:lua%=%))
LUA_INCDIR ?= /usr/include/lua$(ABI)
LUADIR = $(DESTDIR)$(PREFIX)/share/lua/$(ABI)
LIBDIR = $(DESTDIR)$(PREFIX)/lib/lua/$(ABI)
BUILD ?= build/$(LUA)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wwrite-strings \
  -Wmissing-prototypes -Wstrict-prototypes $(if $(CI)$(WERROR),-Werror)
SANITIZERS := -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined
SANITIZER := $(if $(SANITIZE),$(SANITIZERS) -fno-omit-frame-pointer)
COMPILE = $(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(SANITIZER) -fPIC

# apprunner.core is everything but the engine; apprunner.curl is the engine,
# its face to Lua and the few pieces of the core that it shares.
ENGINE := $(wildcard src/binding/*engine*.c)
CORE := $(wildcard src/core/*.c src/host/*.c)
CURL := $(wildcard src/curl/*.c)
core_SOURCES := $(CORE) $(filter-out $(ENGINE),$(wildcard src/binding/*.c))
curl_SOURCES := $(CURL) $(ENGINE) $(wildcard src/binding/compat.c) \
  src/core/fail.c src/core/str.c src/core/buf.c
core_LIBS := -lcrypto -lexpat
curl_LIBS := -lcurl -lssl -lcrypto

LUA_FILES := $(shell cd lua && find . -name '*.lua' | sed 's,^\./,,' | sort)
UNITS := $(patsubst spec/core/%.c,$(BUILD)/unit/%,$(wildcard spec/core/*_test.c)) \
  $(patsubst spec/fuzz/%.c,$(BUILD)/unit/%,$(wildcard spec/fuzz/*_fuzz.c))
FUZZERS := $(patsubst spec/fuzz/%.c,$(BUILD)/%,$(wildcard spec/fuzz/*_fuzz.c))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

# Every interpreter that a check starts finds the checkout and its own build.
lua_path := $(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;
CHECKS := test check lint check-memory fuzz bench soak chaos
$(CHECKS): export LUA_PATH = $(lua_path)
$(CHECKS): export LUA_PATH_5_3 = $(lua_path)
$(CHECKS): export LUA_PATH_5_4 = $(lua_path)
$(CHECKS): export LUA_CPATH = $(CURDIR)/build/lua5.1/?.so;;
$(CHECKS): export LUA_CPATH_5_3 = $(CURDIR)/build/lua5.3/?.so;;
$(CHECKS): export LUA_CPATH_5_4 = $(CURDIR)/build/lua5.4/?.so;;

.PHONY: all units fuzzers helpers install uninstall demo $(CHECKS) clean help sources
.SECONDARY:

all: $(BUILD)/apprunner/core.so $(BUILD)/apprunner/curl.so ##  build for LUA (lua5.4; lua5.3, lua5.1, luajit)

.SECONDEXPANSION:
$(BUILD)/apprunner/%.so: $$(call objects,$$($$*_SOURCES))
	@mkdir -p $(@D)
	$(CC) -shared $(SANITIZER) $(LDFLAGS) -o $@ $^ $($*_LIBS)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(if $(filter src/binding/%,$<),-I$(LUA_INCDIR)) -MMD -MP -c -o $@ $<

# The C unit programs: no Lua, and no libcurl but where the engine is tested.
units: $(UNITS)
$(BUILD)/unit/%: $(BUILD)/obj/spec/core/%.o $(call objects,$(CORE)) \
    $$(if $$(findstring engine,$$*),$(call objects,$(CURL)))
	@mkdir -p $(@D)
	$(CC) $(SANITIZER) $(LDFLAGS) $(WRAP) -o $@ $^ $(if $(findstring engine,$*),-lcurl -lssl) $(core_LIBS) -lpthread

$(BUILD)/unit/xml_test: WRAP := -Wl,--wrap=malloc,--wrap=free

# The fuzzing harnesses: as units they replay their corpus, by clang's
# libFuzzer they are fed with what it finds.
$(BUILD)/unit/%_fuzz: $(call objects,spec/fuzz/%_fuzz.c spec/fuzz/replay.c $(CORE))
	@mkdir -p $(@D)
	$(CC) $(SANITIZER) $(LDFLAGS) -o $@ $^ $(core_LIBS) -lpthread
fuzzers: $(FUZZERS)
$(BUILD)/%_fuzz: $(call objects,spec/fuzz/%_fuzz.c $(CORE))
	$(CC) -fsanitize=fuzzer $(SANITIZER) $(LDFLAGS) -o $@ $^ $(core_LIBS) -lpthread

# Preloaded libraries of the checks, and the C programs of the bench.
helpers: $(patsubst spec/support/%.c,build/support/%.so,$(wildcard spec/support/*.c)) \
  $(patsubst spec/bench/%.c,build/bench/%,$(wildcard spec/bench/*.c)) build/bench/sign \
  build/bench/5.1/bare.so build/bench/5.4/bare.so
build/support/%.so: spec/support/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) -shared -o $@ $< -ldl
build/bench/%/bare.so: spec/bench/lua/bare.c $(wildcard spec/bench/*.h) Makefile
	@mkdir -p $(@D)
	$(COMPILE) -I/usr/include/lua$* -shared -o $@ $< -lcurl -lcrypto
build/bench/%: spec/bench/%.c $(wildcard spec/bench/*.h) Makefile
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $< -lcurl -lcrypto
build/bench/sign: $(call objects,spec/bench/core/sign.c $(CORE))
	@mkdir -p $(@D)
	$(CC) $(SANITIZER) $(LDFLAGS) -o $@ $^ $(core_LIBS) -lpthread

install: all ##  into DESTDIR PREFIX (/usr/local), for LUA
	cd lua && for f in $(LUA_FILES); do install -D -m 644 $$f "$(LUADIR)/$$f" || exit; done
	install -d "$(LIBDIR)/apprunner"
	install -m 755 $(BUILD)/apprunner/*.so "$(LIBDIR)/apprunner"

uninstall: ##  what install put there
	rm -rf "$(LUADIR)/apprunner" "$(LIBDIR)/apprunner"

demo: ##  install what is missing, build, and pause a service of the simulator
	.ci/setup build
	+$(MAKE) --no-print-directory LUA=lua5.4
	lua5.4 spec/support/demo.lua

test: ##  install what is missing, then every check there is
	.ci/setup test
	spec/support/run.sh

check: ##  some of the checks: make check ONLY="unit lua"
	spec/support/run.sh $(ONLY)

lint: ##  warnings of two compilers, format, luacheck, cppcheck, house rules
	spec/support/run.sh lint

check-memory: ##  sanitizers and valgrind
	spec/support/run.sh memory

fuzz: ##  random texts for the parsers (FUZZ_SECONDS, FUZZ_RUNS: for each)
	.ci/setup fuzz
	.ci/fuzz

bench: all helpers ##  how fast it is, as ratios (QUICK=1; PUBLISH=1: into BENCHMARKS.md)
	QUICK=$(QUICK) $(LUA) spec/bench/bench.lua
	$(if $(PUBLISH),$(LUA) spec/bench/publish.lua)
	$(if $(QUICK),,$(LUA) spec/bench/nginx.lua)

soak: all helpers ##  many thousand calls in one process; in nginx, reloaded; 300 services
	$(LUA) spec/bench/soak.lua
	$(LUA) spec/bench/reloads.lua
	APPRUNNER_SOAK=1 spec/support/run.sh --specs $(LUA) $(if $(filter lua5.4,$(LUA)),default,$(LUA)) \
	  --filter="300 services" spec/fleet_spec.lua

chaos: all ##  thousands of calls against a server that fails (CALLS, SEED)
	$(LUA) spec/bench/chaos.lua

clean: ##  remove build/
	rm -rf build

help: ##  this list
	@awk -F':.*##  ' '/^[a-z-]+:.*##  / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

sources: # what each shared object is made of, for the checks
	@printf 'core %s\n' $(core_SOURCES)
	@printf 'curl %s\n' $(curl_SOURCES)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
