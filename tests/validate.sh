#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# validate.sh COMMAND...: runs it with the Vulkan validation layer, synchronization
# validation included, in each of its processes. An error, a warning or a
# performance warning of the layer fails. The last line tells how many instances
# were watched.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Every process opens the log anew, so the log is a pipe.
cat >"$scratch/vk_layer_settings.txt" <<END
khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG
khronos_validation.report_flags = error,warn,perf,info
khronos_validation.log_filename = /proc/self/fd/9
khronos_validation.enables = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
END
export VK_LAYER_SETTINGS_PATH="$scratch" VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation
# The layer skips shaders that it finds in its cache. The driver compiles the same code as without
# the layer, so it keeps its own.
export MESA_SHADER_CACHE_DIR="${MESA_SHADER_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}}"
export XDG_CACHE_HOME="$scratch"

exec 4>&1
{
  status=0
  "$@" 9>&1 >&4 4>&- || status=$?
  echo $status >"$scratch/status"
} | cat >"$scratch/log"
exec 4>&-

status=$(cat "$scratch/status")
grep ' msgNum: ' "$scratch/log" | grep -v '(INFO / ' >"$scratch/said" || true
if [ -s "$scratch/said" ]; then
  head -n 20 "$scratch/said" | cut -c -2000 >&2
  [ "$status" -ne 0 ] || status=1
fi
watched=$(grep -c 'Current Enables:.*SYNCHRONIZATION_VALIDATION' "$scratch/log") || true
echo "# validation layer: $watched instances, $(wc -l <"$scratch/said") messages"
exit "$status"
