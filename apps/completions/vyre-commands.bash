# SPDX-License-Identifier: LGPL-2.1-or-later
# Completes the options of vyre-qc, vyre-info and vyre-replay as their --help says them, the values
# of --residency and --device, and names of files. One file for all of them: bash-completion looks
# for the name of the command.

_vyre_options() {
  LC_ALL=C.UTF-8 "$1" --help 2>/dev/null | grep -oE -- '--[a-z]+(-[a-z]+)*=?' | sort -u
}

_vyre_values() {
  case $1 in
    --residency | -r) printf '%s\n' auto persistent relay dispatch ;;
    --device | -d) printf '%s\n' auto 0 1 2 3 ;;
    *) return 1 ;;
  esac
}

_vyre_complete() {
  local command=$1 word=$2 previous=$3 words

  # Bash takes '=' for a word of its own.
  [ "$word" != '=' ] || word=
  [ "$previous" != '=' ] || previous=${COMP_WORDS[COMP_CWORD - 2]}
  if words=$(_vyre_values "$previous"); then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    return
  fi
  case $word in
    -*)
      mapfile -t COMPREPLY < <(compgen -W "$(_vyre_options "$command")" -- "$word")
      [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
      ;;
    *)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      ;;
  esac
}

complete -F _vyre_complete vyre-qc vyre-info vyre-replay
