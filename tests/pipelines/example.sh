#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# example.sh PROGRAM: the example for libvyre says what its slots add up to.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

said=$(timeout -k 5 60 "$1")
same 'the example' '3 slots done, epoch 1, tag 7, sum 42, year 2026' "${said##*: }"
