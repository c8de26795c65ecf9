#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# words.sh MODULE: prints the words of a SPIR-V module as the elements of an array in C.
set -eu

od -A n -v -t x4 "$1" | sed 's/ \([0-9a-f]*\)/0x\1,/g'
