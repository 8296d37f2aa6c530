#!/usr/bin/env bash
# Runs every check there is, or the groups named: build lint unit rock memory
# lua. Start it by make, which sets the paths. Ends with one line, the sums over
# all suites: "N passed, N failed, N skipped".
#
# A suite is a command that prints its counts: busted's status line, or last
# "N passed, N failed" (", N skipped"). No counts, or an exit status that they
# do not explain, is one failure more. Shown of a suite that passes: its counts,
# why tests were skipped, and lines that start with "note: "; the rest is in
# build/log. To add a suite, add a line to `suites` at the end of this file:
#   alone NAME COMMAND...    nothing else runs beside it (timing matters)
#   beside NAME COMMAND...   may run beside others
# Specs are tagged: #hosts (Neovim, nginx and other whole programs), #slow,
# #timing, #once, for what the interpreter makes no difference to, and #plain,
# for what only a plain interpreter does (apprunner.run, foreign yields).
set -eu
cd "$(dirname "$0")/../.."
# What the developer's shell and home say of AWS is not for the checks.
# shellcheck disable=SC2086 # a list of names
unset ${!AWS_@} http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY
export AWS_EC2_METADATA_DISABLED=true HOME="$PWD/build/home"
mkdir -p "$HOME"
unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS
export LC_ALL=C.UTF-8
groups=${*:-build lint unit rock memory lua}
logs=build/log
mkdir -p $logs

# "passed failed skipped" of a suite's output, or nothing.
counts_of() {
  awk '
    / success(es)? \/ [0-9]+ failures? \/ [0-9]+ errors? \/ [0-9]+ pending/ {
      counts = $1 " " $4 + $7 " " $10; next }
    /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
      counts = $1 " " $3 " " $5 + 0 }
    END { print counts }' "$1"
}

# What to show of a suite that passed.
remarks_of() {
  awk '
    /^note: / { print "    " $0 }
    /^Pending / || /^skipped: / { print "    " $0; pending = /^Pending /; next }
    /^$/ || /^[0-9]+ passed, / { pending = 0 }
    pending { print "      " $0 }' "$1"
}

run_suite() {
  local name=$1 log=$logs/$1.log status=0 begin=$EPOCHREALTIME
  shift
  timeout -k 10 "${SUITE_TIMEOUT:-900}" "$@" > "$log" 2>&1 < /dev/null || status=$?
  local passed failed skipped took
  read -r passed failed skipped <<< "$(counts_of "$log")"
  if [ -z "$passed" ] || { [ $status != 0 ] && [ "$failed" = 0 ]; }; then
    failed=$((${failed:-0} + 1))
    echo "ended with status $status and ${passed:-no} passed" >> "$log"
  fi
  echo "${passed:-0} $failed ${skipped:-0}" > "$logs/$name.counts"
  took=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $begin }")
  { # One at a time, so that outputs do not mix.
    flock 9
    [ "$failed" = 0 ] || { echo "──── $name failed; its output:"; cat "$log"; echo "────"; }
    printf '%-28s %6s s  %5d passed, %d failed, %d skipped\n' \
      "$name" "$took" "${passed:-0}" "$failed" "${skipped:-0}"
    [ "$failed" != 0 ] || remarks_of "$log"
  } 9> $logs/.lock
}

alone() { wait; run_suite "$@"; }
beside() {
  while [ "$(jobs -pr | wc -l)" -gt "$(nproc)" ]; do wait -n || :; done
  run_suite "$@" &
}
group() { [[ " $groups " == *" $1 "* ]]; }

# Everything that the other groups use; a warning is an error. Also a suite.
build() {
  for lua in lua5.4 luajit lua5.3 lua5.1; do
    make -s -j "$(nproc)" WERROR=1 LUA=$lua all || return
  done
  make -s -j "$(nproc)" WERROR=1 LUA=lua5.4 units helpers || return
  if group memory; then .ci/memory build || return; fi
  echo "1 passed, 0 failed"
}

# The options that keep out what has one of the tags everywhere: some files take
# long to say what they would test.
without() {
  local file
  for file in spec/*_spec.lua; do
    grep '^describe(' "$file" | grep -qvE "#(${1//,/|})\b" ||
      echo "--exclude-pattern=^$(basename "$file" .lua)"
  done
}

# busted on one interpreter, by its profile in .busted; more options follow.
# RUNNER goes before the interpreter (a memory checker).
specs() {
  local lua=$1 profile=$2 option
  shift 2
  for option in "$@"; do
    # shellcheck disable=SC2046 # one word an option
    case $option in
      --exclude-tags=*) set -- "$@" $(without "${option#*=}") ;;
      --tags=*) set -- "$@" $(grep -l "#${option#*=}" spec/*_spec.lua) ;;
    esac
  done
  # shellcheck disable=SC2086 # RUNNER is a command line
  ${RUNNER-} $lua /usr/bin/busted --ignore-lua -o plainTerminal -r "$profile" "$@"
}

# `run.sh --build` and `--specs`: how suites call the functions above.
case "${1-}" in
  --build) groups=$2; build; exit ;;
  --specs) shift; specs "$@"; exit ;;
esac

suites() {
  local self=spec/support/run.sh
  alone build $self --build "$groups"
  grep -q ' 0 ' $logs/build.counts || { echo "no build: nothing else is tried"; return; }
  if group lint; then beside lint .ci/lint; fi
  if group rock; then beside rock .ci/rock; fi
  if group unit; then
    for program in spec/core/*_test.c spec/fuzz/*_fuzz.c; do
      program=$(basename "$program" .c)
      beside "unit:$program" "build/lua5.4/unit/$program"
    done
  fi
  if group memory; then
    beside memory:units .ci/memory units
    beside memory:specs-asan .ci/memory specs-asan
    beside memory:specs-valgrind .ci/memory specs-valgrind
  fi
  if group lua; then
    beside specs:lua5.4 $self --specs lua5.4 default --exclude-tags=timing,once
    beside specs:once $self --specs lua5.4 default --tags=once --exclude-tags=timing
    beside specs:luajit $self --specs luajit luajit --exclude-tags=once,timing
    beside specs:lua5.3 $self --specs lua5.3 lua5.3 --exclude-tags=hosts,slow
    beside specs:lua5.1 $self --specs lua5.1 lua5.1 --exclude-tags=hosts,slow
    beside specs:neovim spec/support/hosted.sh neovim
    beside specs:nginx spec/support/hosted.sh nginx
    alone specs:lua5.4-timing $self --specs lua5.4 default --tags=timing
    alone specs:luajit-timing $self --specs luajit luajit --tags=timing --exclude-tags=once
  fi
  wait
}

rm -f $logs/*.log $logs/*.counts $logs/sums
suites
cat $logs/*.counts | awk '{ p += $1; f += $2; s += $3 }
  END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' | tee $logs/sums
grep -q ' 0 failed' $logs/sums
