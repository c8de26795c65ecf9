#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# documented.sh VYRE-REPLAY: every launch line in docs/ and in the elements' doc blocks runs as it
# stands there. Those of the README and of the tutorial, which have more to say, are in readme.sh and
# tutorial.sh.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

root=$(cd "${0%/*}/../.." && pwd)
replay=$(realpath "$1")

# What the lines name, as far as it is not of the system: a line that needs something else, a camera
# say, gets its stand-in here.
mkdir -p "$work/bin" "$work/rules/a" "$work/vyre-bundle"
head -c 300000 /dev/urandom >"$work/film.webm"
head -c 64 /dev/urandom >"$work/rules/a/rules.bin"
head -c 1920 /dev/zero >"$work/slots.bin" # EMPTY ones
printf '#!/bin/sh\nexec "$@"\n' >"$work/vyre-bundle/run"
chmod +x "$work/vyre-bundle/run"
ln -s "$replay" "$work/bin/vyre-replay"
PATH=$work/bin:$PATH

# lines FILE: its launch lines, each in one; what goes on in the next line ends in a backslash.
lines() {
  sed -e 's/^ \* //' -e 's/^ *//' "$1" | sed -e ':more' -e '/\\$/{N' -e 's/\\\n */ /' -e 'bmore' -e '}' |
    grep -E '^(vyre-bundle/run |[A-Z_]+=[^ ]+ )*(gst-launch-1\.0 .*!|vyre-replay --)' || true
}

# mentions FILE: how many lines have a pipeline in them, wherever.
mentions() {
  grep -cE 'gst-launch-1\.0 .*!|^ *vyre-replay --' "$1" || true
}

cd "$work"
total=0
find "$root/README.md" "$root/docs" "$root/gst" "$root/runtime" -name '*.md' -o -name '*.[ch]' |
  sort >files
while read -r file; do
  lines "$file" >found
  same "launch lines that stand by themselves in $file" "$(mentions "$file")" "$(wc -l <found)"
  case $file in
    "$root/README.md" | "$root/docs/tutorial.md") continue ;;
  esac
  while read -r line; do
    case $line in
      *'! vyrescope'*) gst-inspect-1.0 --exists --atleast-version=0.1 vyrescope || continue ;; # it may not be built
    esac
    total=$((total + 1))
    echo "$line" | sed 's/ autovideosink/ fakesink/' >line # there is no display
    timeout -k 5 60 sh line >log 2>errors </dev/null || fail "${file#"$root/"}: $line"
    case $line in
      *gst-launch-1.0\ -m*)
        grep -q '(element): vyre-counters, ' log || fail "${file#"$root/"}: no counters: $line"
        ! grep -q '(element): vyre-counters, .* faults=(guint64)[1-9]' log ||
          fail "${file#"$root/"}: a slot faults: $line"
        ;;
    esac
  done <found
done <files
[ "$total" -ge 8 ] || fail "only $total lines were found"
