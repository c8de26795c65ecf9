/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The program language: errors and limits.
 */
#include "program-common.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const ErrorCase syntax_cases[] = {
  /* the program as a whole */
  { "", "1:1: ", "no statement" },
  { "# only a comment", "1:17: ", "no statement" },
  { "\n\n", "3:1: ", "no statement" },
  { "let a = 1", "1:10: ", "no statement" },
  { "no_fence", "1:9: ", "no statement" },
  { "nop\x01", "1:4: ", "U+0001" },
  { "nop # \x7f", "1:7: ", "U+007F" },
  { "nop\rnop", "1:4: ", "U+000D" },
  { "nop\n\xff", "2:1: ", "not UTF-8" },
  { "nop # \xc3", "1:7: ", "not UTF-8" },
  { "nop \xc3\xa9", "1:5: ", "U+00E9" },
  { "nop # \xc2\x85", "1:7: ", "U+0085" },
  { "nop $", "1:5: ", "'$'" },
  /* characters that stand for others */
  { "crc32 payload \u2192 crc",
      "1:15: ", "'\u2192' (U+2192) has no meaning here. Fix: write '->'" },
  { "crc32 payload \u21d2 crc", "1:15: ", "Fix: write '->' instead" },
  { "crc32 payload \u2013> crc",
      "1:15: ", "'\u2013' (U+2013) has no meaning here. Fix: write '-'" },
  { "crc32 payload > crc", "1:15: ", "Fix: write '->' instead" },
  { "op 1, 5 \u2212 2", "1:9: ", "(U+2212) has no meaning here. Fix: write '-' instead" },
  { "op 1, 5 \u2014 2", "1:9: ", "Fix: write '-' instead" },
  { "op 1, 5 \u00d7 2", "1:9: ", "Fix: write '*' instead" },
  { "op 1, 5 \u00f7 2", "1:9: ", "Fix: write '/' instead" },
  { "op 1,\u00a02", "1:6: ", "(U+00A0) has no meaning here. Fix: write a space instead" },
  { "nop\n\u00a0nop", "2:1: ", "Fix: write a space instead" },
  { "op 1,\u30002", "1:6: ", "Fix: write a space instead" },
  { "op\u200b 1", "1:3: ", "(U+200B) has no meaning here. Fix: remove it; most editors do not" },
  { "nop \ufeff", "1:5: ", "(U+FEFF) has no meaning here. Fix: remove it; most editors do not" },
  { "op \uff11\uff0c2", "1:4: ", "Fix: write '1' instead" },
  { "op 1\uff0c2", "1:5: ", "Fix: write ',' instead" },
  { "nop\uff1b nop", "1:4: ", "Fix: write ';' instead" },
  { "op \u0663", "1:4: ", "Fix: write '3' instead" },
  { "crc32 \uff1e", "1:7: ", "Fix: write '->' instead" },
  { "nop\u2028nop", "1:4: ", "Fix: write a line feed instead" },
  { "let \u0430 = 1", "1:5: ", "Fix: use the letters from a to z" },
  { "nop \u2713", "1:5: ", "Fix: remove it; a comment starts with '#'" },
  { "resource r = file \u201cr.bin\u201d",
      "1:19: ", "(U+201C) has no meaning here. Fix: write \" or" },
  { "resource r = file \u2018r.bin\u2019",
      "1:19: ", "(U+2018) has no meaning here. Fix: write \" or" },
  { "resource r = file \"r.bin\u201d; nop",
      "1:25: ", "(U+201D) does not end a string. Fix: write \"" },
  { "resource r = file 'r.bin\u2019\nnop",
      "1:25: ", "(U+2019) does not end a string. Fix: write '" },
  { "resource r = file 'r\u201d\nnop", "1:19: ", "close it with '" },
  { "\u201cnop\u201d", "1:1: ", "Fix: write \" or ' instead" },
  { "\xff\xfen", "1:1: ", "this is UTF-16 text. Fix: save the program as UTF-8" },
  { "\xfe\xffn", "1:1: ", "this is UTF-16 text. Fix: save the program as UTF-8" },
  { "\ufeffnop\n@", "2:1: ", "'@'" },
  { "\ufeff@", "1:1: ", "'@'" },
  { "\ufeff\ufeffnop", "1:1: ", "(U+FEFF)" },
  { "nop \"a\"", "1:5: ", "too many operands" },
  { "nop \"a", "1:5: ", "close it with \"" },
  { "nop 'a\nnop'", "1:5: ", "close it with '" },
  /* statements */
  { "nop nop", "1:5: ", "too many operands" },
  { "nop\n  frobnicate 1, 2", "2:3: ", "'frobnicate' is not an opcode" },
  { "nop2", "1:1: ", "u8_histogram" },
  { "17", "1:1: ", "'17' is not an opcode" },
  { ", nop", "1:1: ", "','" },
  { "@tenant=1", "1:1: ", "'@'" },
  { "{ nop }", "1:1: ", "'{'" },
  { "nop; nop }", "1:10: ", "'}' is not expected" },
  { "no_fence nop", "1:10: ", "'nop' is not expected" },
  { "let a = 1 nop", "1:11: ", "'nop' is not expected" },
  /* let */
  { "let", "1:4: ", "the end of the program" },
  { "let = 3", "1:5: ", "'='" },
  { "let A = 3", "1:5: ", "'A'" },
  { "let a_B = 3", "1:5: ", "'a_B'" },
  { "let a.b = 3", "1:5: ", "'a.b'" },
  { "let a 3", "1:7: ", "'3'" },
  { "let a =", "1:8: ", "the end of the program" },
  { "let a = a", "1:9: ", "'a' is not a known number" },
  { "let a = 1\nlet a = 2", "2:5: ", "defined twice" },
  { "let width = 1", "1:5: ", "meaning of its own" },
  { "let luma = 1", "1:5: ", "meaning of its own" },
  { "let sequence = 1", "1:5: ", "meaning of its own" },
  { "let high = 1", "1:5: ", "meaning of its own" },
  { "op b; let b = 1", "1:4: ", "'b' is not a known number" },
  /* expressions */
  { "op", "1:3: ", "the end of the program" },
  { "op 0x", "1:4: ", "not a number" },
  { "op 0x1G", "1:4: ", "not a number" },
  { "op 12ab", "1:4: ", "not a number" },
  { "op 1.", "1:4: ", "not a number" },
  { "op 0x1.5", "1:4: ", "not a number" },
  { "op 1.5.5", "1:4: ", "not a number" },
  { "op 0.1234567891", "1:5: ", "more than nine digits behind the point. Fix: round it." },
  { "op 1, 0.00001 * 0.00001", "1:15: ", "Fix: use fractions of fewer digits." },
  { "op 1, 4294967295.5 * 2", "1:20: ", "above 4294967295" },
  { "op 1, 0.5 - 0.6", "1:11: ", "below 0" },
  { "sample_grid luma, 1.5, 2 -> a", "1:19: ", "not a constant number of cells" },
  { "op 4294967296", "1:4: ", "above 4294967295" },
  { "op 0x100000000", "1:4: ", "above 4294967295" },
  { "op 99999999999999999999999999", "1:4: ", "above 4294967295" },
  { "op -1", "1:4: ", "'-' is not expected" },
  { "op 1 +", "1:7: ", "the end of the program" },
  { "op 1 + * 2", "1:8: ", "'*'" },
  { "op (1 + 2", "1:10: ", "')'" },
  { "op (1,2)", "1:6: ", "','" },
  { "op 1)", "1:5: ", "')'" },
  { "op ()", "1:5: ", "')'" },
  { "op 4294967295 + 1", "1:15: ", "above 4294967295" },
  { "op 65536 * 65536", "1:10: ", "above 4294967295" },
  { "op 3 - 4", "1:6: ", "below 0" },
  { "op 2 + 3 / 0", "1:10: ", "division by zero" },
  { "op 3 % (2 - 2)", "1:6: ", "division by zero" },
  { "op foo", "1:4: ", "'foo' is not a known number" },
  { "op Width", "1:4: ", "plane3" },
  { "op luma", "1:4: ", "is a region" },
  { "op plane4.rows", "1:4: ", "'plane4.rows'" },
  { "op luma.height", "1:4: ", "'luma.height'" },
  { "op sequence", "1:4: ", "'sequence'" },
  { "op &", "1:5: ", "the end of the program" },
  { "op &Luma", "1:5: ", "'Luma'" },
  { "op &5", "1:5: ", "'5'" },
  { "op &nothing", "1:5: ", "no statement computes a result 'nothing'" },
  { "op 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13", "1:46: ", "at most 12" },
  { "op 1,", "1:6: ", "the end of the program" },
  { "op 1 -> a", "1:6: ", "'->' is not expected" },
  /* operands */
  { "store_u32", "1:10: ", "store_u32 value, word" },
  { "store_u32 1", "1:12: ", "wrong operands" },
  { "store_u32 1,", "1:13: ", "the end of the program" },
  { "store_u32 1\n, 2", "1:12: ", "wrong operands" },
  { "store_u32 1, 2, 3", "1:17: ", "too many operands" },
  { "store_u32 1, 2 -> a", "1:20: ", "wrong operands" },
  { "store_u32 -> a", "1:15: ", "wrong operands" },
  { "compare_swap 1, 2", "1:18: ", "expected, new" },
  { "compare_swap 1, 2 -> a", "1:19: ", "has no result" },
  { "memcpy 1, 2", "1:12: ", "source, destination, count" },
  { "dfa_step 1", "1:11: ", "state, byte" },
  { "load_miss", "1:10: ", "prefetch" },
  { "load_miss 1, 2, 3", "1:17: ", "too many operands" },
  { "printf", "1:7: ", "format" },
  { "shutdown 1", "1:10: ", "too many operands" },
  { "nop -> a", "1:5: ", "nop has no result" },
  { "batch_fence 1, 2, 3", "1:19: ", "too many operands" },
  { "batch_fence sequence", "1:13: ", "'sequence'" },
  { "batch_fence; nop; batch_fence", "1:19: ", "second batch_fence" },
  { "batch_fence 1, sequence\nbatch_fence 3", "2:1: ", "second batch_fence" },
  { "load_words 0, 0", "1:16: ", "number of words -> result" },
  { "load_words 0, 0, 4", "1:19: ", "number of words -> result" },
  { "load_words 0, 0, 0 -> a", "1:18: ", "from 1 to 4096" },
  { "load_words 0, 0, 4097 -> a", "1:18: ", "from 1 to 4096" },
  { "load_words 0, 0, width -> a", "1:18: ", "constant number" },
  { "load_words 0, 0, 4 -> a; load_words 0, 4, 4 -> a", "1:48: ", "defined twice" },
  { "load_words 0, 0, 4 -> a; store_u32 1 -> a", "1:41: ", "defined twice" },
  { "append 0, 160", "1:14: ", "resource, word, count" },
  { "append 0, 160, 1 -> a", "1:18: ", "has no result" },
  { "sync", "1:5: ", "sync resource" },
  /* resources */
  { "resource", "1:9: ", "a name of" },
  { "resource a", "1:11: ", "'='" },
  { "resource a =", "1:13: ", "file or sink" },
  { "resource a = \"b\"", "1:14: ", "file or sink" },
  { "resource a = file", "1:18: ", "in quotes" },
  { "resource a = file b", "1:19: ", "in quotes" },
  { "resource a = file \"\"", "1:19: ", "the path is empty" },
  { "resource a = file \"b\" nop", "1:23: ", "a line end" },
  { "resource a = file \"b\"", "1:22: ", "no statement" },
  { "resource luma = file \"b\"", "1:10: ", "a meaning of its own" },
  { "let a = 1; resource a = file \"b\"", "1:21: ", "defined twice" },
  { "resource a = sink 'b'; let a = 1", "1:28: ", "defined twice" },
  { "load_miss a; resource a = file 'b'", "1:11: ", "not a known number" },
  /* regions */
  { "u8_stats", "1:9: ", "u8_stats region -> result" },
  { "u8_stats luma", "1:14: ", "u8_stats region -> result" },
  { "u8_stats -> a", "1:14: ", "wrong operands" },
  { "u8_stats 5 -> a", "1:10: ", "a region" },
  { "u8_stats width -> a", "1:10: ", "a region" },
  { "u8_stats luma.size -> a", "1:10: ", "a region" },
  { "u8_stats plane4 -> a", "1:10: ", "'plane4'" },
  { "u8_stats luma, 3 -> a", "1:16: ", "too many operands" },
  { "u8_stats region -> a", "1:17: ", "region(offset, width, rows, stride)" },
  { "u8_stats region(1, 2, 3) -> a", "1:24: ", "region(offset, width, rows, stride)" },
  { "u8_stats region(1, 2, 3, 4, 5) -> a", "1:27: ", "','" },
  { "u8_stats bytes(1) -> a", "1:17: ", "bytes(offset, length)" },
  { "u8_stats bytes(1, 2, 3) -> a", "1:20: ", "bytes(offset, length)" },
  { "u8_below luma -> a", "1:19: ", "u8_below region, threshold" },
  { "u8_below luma, 257 -> a", "1:16: ", "threshold is above 256" },
  { "u8_below luma, 3", "1:17: ", "u8_below region, threshold" },
  { "u8_stats red -> a", "1:10: ", "a region" },
  { "sample_stats cyan -> a", "1:14: ", "a component" },
  { "sample_stats samples(1, 2, 3, 4) -> a", "1:32: ", "samples(offset, width, rows, stride, " },
  { "sample_stats u", "1:15: ", "sample_stats component -> result" },
  { "sample_below u -> a", "1:20: ", "sample_below component, limit" },
  { "audio_stats luma -> a", "1:13: ", "a channel of audio: channel0 to channel255, or audio(" },
  { "audio_stats channel256 -> a", "1:13: ", "'channel256' is not expected" },
  { "audio_stats channel01 -> a", "1:13: ", "'channel01' is not expected" },
  { "audio_stats channelx -> a", "1:13: ", "'channelx' is not expected" },
  { "audio_stats audio(1, 2) -> a", "1:23: ", "audio(offset, length, how they lie)" },
  { "audio_loud channel0 -> a", "1:25: ", "audio_loud channel, limit -> result" },
  { "audio_stats channel0", "1:21: ", "audio_stats channel -> result" },
  { "let a = channel3", "1:9: ", "'channel3' is a channel of audio, not a number" },
  { "sample_range previous(luma), u, v -> a", "1:30: ", "leave out 'previous'" },
  { "sample_range luma, previous(u), v -> a", "1:20: ", "a component" },
  { "sample_difference luma, previous luma, 1 -> a", "1:34: ", "'(' and a region" },
  { "sample_range luma, u -> a", "1:26: ", "sample_range luma, u, v" },
  { "sample_range luma, u, 3 -> a", "1:23: ", "a component" },
  { "sample_repeats u, 4 -> a", "1:25: ", "sample_repeats component, distance, limit" },
  { "sample_grid u, 16 -> a", "1:23: ", "sample_grid component, columns, rows" },
  { "sample_grid u, width, 1 -> a", "1:16: ", "not a constant number of cells" },
  { "sample_grid u, 513, 1 -> a", "1:16: ", "from 1 to 512" },
  { "sample_grid u, 16, 33 -> a", "1:20: ", "from 1 to 32" },
  { "sample_grid u, 16, 0 -> a", "1:20: ", "from 1 to 32" },
  { "sample_difference u, 3, 4 -> a", "1:22: ", "a component" },
  { "sample_ssim u -> a", "1:19: ", "sample_ssim component, component" },
  { "sample_ssim u, v, 4 -> a", "1:19: ", "too many operands" },
  { "sample_joint u -> a", "1:20: ", "sample_joint component, component" },
  { "sample_difference u, v -> a", "1:28: ", "sample_difference component, component, limit" },
  { "param", "1:6: ", "a name of a-z" },
  { "param width = 1", "1:7: ", "'width' has a meaning of its own" },
  { "param a = 1; param a = 2", "1:20: ", "'a' is defined twice" },
  { "param a = rate", "1:11: ", "the default of a param is not a constant" },
  { "param a 1", "1:9: ", "'=' and a value" },
  { "let a = red", "1:9: ", "'red' is a component, not a number" },
  { "let a = red.width", "1:9: ", "'red.width' is not a known number" },
  /* results */
  { "u8_stats luma -> ", "1:18: ", "the end of the program" },
  { "u8_stats luma -> Luma", "1:18: ", "'Luma'" },
  { "u8_stats luma -> my_luma", "1:20: ", "'_' cannot be part" },
  { "u8_stats luma -> lumA", "1:21: ", "'A' cannot be part" },
  { "u8_stats luma -> -a", "1:18: ", "'-'" },
  { "u8_stats luma -> a b", "1:20: ", "'b' is not expected" },
  { "crc32 luma -> a\ncrc32 u -> a", "2:12: ", "defined twice" },
  { "store_u32 1 -> a; crc32 u -> a", "1:30: ", "defined twice" },
  { "crc32 u -> a; store_u32 1 -> a", "1:30: ", "defined twice" },
  /* attributes */
  { "nop @", "1:6: ", "tenant= or priority=" },
  { "nop @colour=1", "1:6: ", "'colour'" },
  { "nop @tenant", "1:12: ", "the end of the program" },
  { "nop @tenant 1", "1:13: ", "'1'" },
  { "nop @tenant=", "1:13: ", "the end of the program" },
  { "nop @tenant=1 @tenant=2", "1:16: ", "given twice" },
  { "nop @priority=high @priority=low", "1:21: ", "given twice" },
  { "nop @priority=5", "1:15: ", "priority is above 4" },
  { "nop @priority=urgent", "1:15: ", "'urgent'" },
  /* optional */
  { "optional", "1:9: ", "the end of the program" },
  { "optional nop", "1:10: ", "nop cannot be optional" },
  { "optional op 3", "1:10: ", "op cannot be optional" },
  { "optional let a = 3", "1:10: ", "'let' is not an opcode" },
  { "optional optional crc32 u -> a", "1:10: ", "'optional' is not an opcode" },
  /* packed_slot */
  { "packed_slot", "1:12: ", "'{'" },
  { "packed_slot nop", "1:13: ", "'nop'" },
  { "packed_slot { }", "1:15: ", "'}' is not an opcode" },
  { "packed_slot { nop", "1:18: ", "'|'" },
  { "packed_slot { nop | }", "1:21: ", "'}' is not an opcode" },
  /* fields */
  { "sample_stats top luma -> a", "1:18: ", "'(' and a component of the field" },
  { "sample_stats top(luma -> a", "1:23: ", "')' behind the component" },
  { "sample_stats bottom(top(luma)) -> a", "1:21: ", "a component: luma, u, v, red" },
  { "sample_stats top(samples(0, 1, 1, 1, 1)) -> a", "1:18: ", "a component: luma, u, v, red" },
  { "u8_stats top(luma) -> a", "1:10: ", "a region: payload" },
  /* parts */
  { "sample_stats part luma -> a", "1:19: ", "part(component, x, y, width, height)" },
  { "sample_stats part(luma) -> a", "1:23: ", "part(component, x, y, width, height)" },
  { "sample_stats part(luma, 1, 2, 3) -> a", "1:32: ", "part(component, x, y, width, height)" },
  { "sample_stats part(luma, 1, 2, 3, 4, 5) -> a", "1:35: ", "')' behind the part" },
  { "sample_stats part(part(luma, 1, 2, 3, 4), 1, 2, 3, 4) -> a", "1:19: ", "a component: luma" },
  { "u8_stats part(luma, 1, 2, 3, 4) -> a", "1:10: ", "a region: payload" },
  /* older payloads */
  { "u8_stats previous payload -> a", "1:19: ", "'(' and a region of the older payload" },
  { "u8_stats previous(payload -> a", "1:27: ", "')' behind the region" },
  { "u8_stats previous(previous(u)) -> a", "1:19: ", "'previous' is not expected here" },
  { "u8_stats previous() -> a", "1:19: ", "a region: payload" },
  { "sample_stats previous(5) -> a", "1:23: ", "a component: luma" },
  { "op previous(payload)", "1:4: ", "'previous' is not a known number" },
  { "u8_stats paired payload -> a", "1:17: ", "'(' and the name of a region" },
  { "u8_stats paired(payload -> a", "1:25: ", "')' behind the region" },
  { "u8_stats paired(bytes(0, 1)) -> a", "1:17: ", "the name of a region or component" },
  { "sample_stats paired(samples(0, 1, 1, 1, 1)) -> a", "1:21: ", "the name of a region" },
  { "u8_stats paired(previous(u)) -> a", "1:17: ", "'previous' is not expected here" },
  { "u8_stats paired(red) -> a", "1:17: ", "a region: payload" },
  { "sample_range paired(luma), u, v -> a", "1:28: ", "leave out 'previous'" },
  { "crc32 reference(payload) -> a", "1:7: ", "no statement says which payload is the reference" },
  /* state */
  { "state", "1:6: ", "the end of the program is not expected" },
  { "state; nop", "1:6: ", "a result name of a-z, 0-9 and '-' behind 'state'" },
  { "state 5[1]", "1:7: ", "a result name" },
  { "state N[1]", "1:7: ", "a result name" },
  { "state a_b[1]", "1:8: ", "'_' cannot be part of a result name" },
  { "state a", "1:8: ", "Fix: write '[', the number of words and ']'" },
  { "state a 1", "1:9: ", "'['" },
  { "state a[]", "1:9: ", "a number" },
  { "state a[0]", "1:9: ", "not a constant number of words" },
  { "state a[4097]", "1:9: ", "from 1 to 4096" },
  { "state a[width]", "1:9: ", "not a constant number of words" },
  { "state a[1", "1:10: ", "']' behind the number of words" },
  { "state a[1] b", "1:12: ", "a line end or ';'" },
  { "state a from", "1:13: ", "a number" },
  { "state a from b", "1:14: ", "'b' is not a known number" },
  { "state a from $b; crc32 payload -> b", "1:14: ", "no statement in front of this one computes" },
  { "state a from $a; nop", "1:14: ", "no statement in front of this one computes a result 'a'" },
  { "u8_stats payload -> b; state a from $b", "1:37: ", "append one of .count, .min" },
  { "crc32 payload -> b; state a from $b.sum", "1:34: ", "is one number. Fix: write '$b'" },
  { "state a[1]; state a[2]; nop", "1:19: ", "'a' is defined already. Fix: declare it once" },
  { "atomic_add 1 -> a; state a[1]", "1:26: ", "'a' is defined already" },
  { "state a[7]; u8_stats payload -> a", "1:33: ", "'a' is defined twice" },
  { "state a[1]", "1:11: ", "no statement that makes a slot" },
  { "nop [1]", "1:5: ", "too many operands" },
  { "packed_slot { nop nop }", "1:19: ", "too many operands" },
  { "packed_slot { nop; nop }", "1:18: ", "';'" },
  { "packed_slot { batch_fence }", "1:15: ", "batch_fence cannot be packed" },
  { "packed_slot { op 7 }", "1:18: ", "batch_fence cannot be packed" },
  { "packed_slot { op 256 }", "1:18: ", "above 255" },
  { "packed_slot { printf 1 }", "1:15: ", "above 255" },
  { "packed_slot { crc32 u -> a }", "1:15: ", "above 255" },
  { "packed_slot { packed_slot { nop } }", "1:15: ", "above 255" },
  { "packed_slot { nop @tenant=1 }", "1:19: ", "'@'" },
  { "packed_slot { op 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }", "1:15: ", "does not fit" },
  { "packed_slot { memcpy 1, 2, 3 | memcpy 1, 2, 3 | memcpy 1, 2, 3 |\n nop | nop | nop }",
      "2:14: ", "does not fit" },
};

static void
test_syntax_errors (void)
{
  G_STATIC_ASSERT (G_N_ELEMENTS (syntax_cases) >= 75);

  assert_syntax_errors (syntax_cases, G_N_ELEMENTS (syntax_cases));
}

/* The error is at the first definition of a reserved name, wherever else the name stands. */
static void
test_reserved_results (void)
{
  static const char *const reserved[] = { "stamp", "a-field", NULL };
  static const ErrorCase cases[] = {
    { "u8_stats luma -> stamp", "1:18: ", "the name 'stamp' is taken by a field of the report." },
    { "nop\natomic_add 1 -> a-field; store_u32 1 -> a-field", "2:17: ", "'a-field' is taken by" },
    { "crc32 u -> good; store_u32 1 -> a-field; crc32 v -> stamp", "1:33: ", "'a-field'" },
    { "load_u32 &stamp -> good; store_u32 1 -> stamp", "1:41: ", "'stamp'" },
  };
  g_autoptr (VyreProgram) good = assemble ("crc32 u -> stam; crc32 v -> a-fields");

  g_assert_true (vyre_program_check_results (good, reserved, "a field of the report", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VyreProgram) program = assemble (cases[i].text);
    GError *error = NULL;

    g_assert_false (
        vyre_program_check_results (program, reserved, "a field of the report", &error));
    assert_error (error, VYRE_ERROR_SYNTAX, cases[i].position, cases[i].message);
  }
}

static const struct {
  ErrorCase expected;
  VyreError code;
} bind_cases[] = {
  { { "nop\n u8_stats luma -> a", "2:11: ", "'luma' is not defined" }, VYRE_ERROR_UNBOUND },
  { { "u8_stats u -> a", "1:10: ", "video/x-raw,format=I420" }, VYRE_ERROR_UNBOUND },
  { { "u8_stats plane3 -> a", "1:10: ", "'plane3' is not defined" }, VYRE_ERROR_UNBOUND },
  { { "op 1, width", "1:7: ", "videoconvert" }, VYRE_ERROR_UNBOUND },
  { { "op 1, planes", "1:7: ", "videoconvert" }, VYRE_ERROR_UNBOUND },
  { { "op 1, v.rows", "1:7: ", "'v.rows' is not defined" }, VYRE_ERROR_UNBOUND },
  { { "op 1, rate", "1:7: ", "raw audio" }, VYRE_ERROR_UNBOUND },
  { { "op 1, channels", "1:7: ", "raw audio" }, VYRE_ERROR_UNBOUND },
  { { "op 1, bits", "1:7: ", "audio/x-raw" }, VYRE_ERROR_UNBOUND },
  { { "let a = 2 * width\nlet b = a + 1\nop b", "1:13: ", "'width' is not defined" },
      VYRE_ERROR_UNBOUND },
  { { "nop @tenant=rate", "1:13: ", "'rate' is not defined" }, VYRE_ERROR_UNBOUND },
  { { "audio_loud audio(0, 4, 0x4020004), 1 -> a; event e when quiet $a at rate",
        "1:69: ", "'rate' is not defined" },
      VYRE_ERROR_UNBOUND },
  { { "audio_loud audio(0, 4, 0x4020004), 1 -> a; event e when quiet $a at 1 / 2",
        "1:63: ", "quiet samples of no rate" },
      VYRE_ERROR_INVALID },
  { { "audio_loud channel1, channel1.full_scale -> a", "1:12: ", "feed raw audio" },
      VYRE_ERROR_UNBOUND },
  { { "event e when rate > 1; nop", "1:14: ", "'rate' is not defined" }, VYRE_ERROR_UNBOUND },
  { { "event e when 1 > 0 for rate s; nop", "1:24: ", "'rate' is not defined" },
      VYRE_ERROR_UNBOUND },
  { { "let a = 1 - payload.size; event e when 1 > a; nop", "1:11: ", "below 0" },
      VYRE_ERROR_INVALID },
  { { "packed_slot { op rate }", "1:18: ", "'rate' is not defined" }, VYRE_ERROR_UNBOUND },
  { { "optional u8_below payload, bits -> a", "1:28: ", "'bits' is not defined" },
      VYRE_ERROR_UNBOUND },
  { { "op payload.size * 4096", "1:17: ", "above 4294967295" }, VYRE_ERROR_INVALID },
  { { "op payload.size + 0xFFFFFFFF", "1:17: ", "above 4294967295" }, VYRE_ERROR_INVALID },
  { { "op 5 - payload.size", "1:6: ", "below 0" }, VYRE_ERROR_INVALID },
  { { "op 5 / payload.offset", "1:6: ", "division by zero" }, VYRE_ERROR_INVALID },
  { { "op 5 % payload.offset", "1:6: ", "division by zero" }, VYRE_ERROR_INVALID },
  { { "let z = 1 / payload.offset; op 1, z", "1:11: ", "division by zero" }, VYRE_ERROR_INVALID },
  { { "optional crc32 bytes(1 - payload.size, 1) -> a", "1:24: ", "below 0" }, VYRE_ERROR_INVALID },
  { { "nop @priority=payload.size", "1:15: ", "priority is above 4" }, VYRE_ERROR_INVALID },
  { { "u8_below payload, payload.size -> a", "1:19: ", "threshold is above" }, VYRE_ERROR_INVALID },
  { { "sample_stats red -> a", "1:14: ", "format=RGBA in front" }, VYRE_ERROR_UNBOUND },
  { { "op 1, u.scale", "1:7: ", "'u.scale' is not defined" }, VYRE_ERROR_UNBOUND },
  { { "sample_stats samples(0, 1, 1, 1, 7) -> a", "1:1: ", "0x7 does not tell how samples" },
      VYRE_ERROR_INVALID },
  { { "audio_stats channel7 -> a", "1:13: ", "feed raw audio" }, VYRE_ERROR_UNBOUND },
  { { "audio_stats audio(0, 1, 7) -> a", "1:1: ",
        "0x7 does not tell how samples lie. Fix: name a "
        "channel" },
      VYRE_ERROR_INVALID },
  { { "sample_difference payload, bytes(0, 7), 1 -> a", "1:1: ", "different shapes: 1 rows of" },
      VYRE_ERROR_INVALID },
  { { "sample_joint payload, bytes(0, 7) -> a", "1:1: ", "different shapes: 1 rows of" },
      VYRE_ERROR_INVALID },
  { { "sample_ssim payload, bytes(0, 7) -> a", "1:1: ", "different shapes: 1 rows of" },
      VYRE_ERROR_INVALID },
  { { "sample_difference payload, samples(0, 9, 1, 0, 7), 1 -> a", "1:1: ", "0x7 does not tell" },
      VYRE_ERROR_INVALID },
  { { "sample_range payload, bytes(0, 7), bytes(0, 7) -> a", "1:1: ", "does not go with luma" },
      VYRE_ERROR_INVALID },
  { { "sample_range payload, payload, samples(0, 9, 1, 0, 7) -> a", "1:1: ", "0x7 does not tell" },
      VYRE_ERROR_INVALID },
  { { "sample_range payload, payload, v -> a", "1:32: ", "'v' is not defined" },
      VYRE_ERROR_UNBOUND },
  { { "sample_difference payload, red, 1 -> a", "1:28: ", "format=RGBA in front" },
      VYRE_ERROR_UNBOUND },
  { { "packed_slot { op payload.size }", "1:18: ", "above 255" }, VYRE_ERROR_INVALID },
  { { "packed_slot { op payload.rows * 7 }", "1:18: ", "cannot be packed" }, VYRE_ERROR_INVALID },
  { { "crc32 region(0, 10, 2, 11) -> a", "1:1: ", "padding" }, VYRE_ERROR_INVALID },
  { { "adler32 region(0, 10, 2, 11) -> a", "1:1: ", "adler32 needs" }, VYRE_ERROR_INVALID },
  { { "crc32c region(0, 10, 2, 11) -> a", "1:1: ", "crc32c needs" }, VYRE_ERROR_INVALID },
  { { "nop; optional crc32 region(0, 10, 0, 11) -> a", "1:15: ", "padding" }, VYRE_ERROR_INVALID },
  { { "store_u32 1 -> payload.size * 0 + 1048576", "1:23: ", "" }, VYRE_ERROR_SYNTAX },
  { { "store_u32 1 -> (payload.size)", "1:16: ", "last observable" }, VYRE_ERROR_TOO_LARGE },
  { { "store_u32 1 -> 1048576", "1:16: ", "last observable" }, VYRE_ERROR_TOO_LARGE },
  { { "u8_stats payload -> 1048570", "1:21: ", "last observable" }, VYRE_ERROR_TOO_LARGE },
  { { "load_u32 1 -> 4294967295", "1:15: ", "last observable" }, VYRE_ERROR_TOO_LARGE },
};

static void
test_bind_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bind_cases); i++) {
    const ErrorCase *row = &bind_cases[i].expected;
    GError *error = NULL;
    g_autoptr (VyreProgram) program = vyre_program_assemble (row->text, &error);

    g_test_message ("%s", row->text);
    if (program != NULL)
      g_assert_null (vyre_program_bind (program, NULL, PAYLOAD, 0, 0, &error));
    assert_error (error, bind_cases[i].code, row->position, row->message);
  }
}

static void
test_sizes (void)
{
  g_autoptr (VyreProgram) program = assemble ("nop; crc32 payload -> a; u8_stats payload -> 5");
  g_autoptr (VyreBoundProgram) exact = bind_program (program, NULL, 4, 12);
  g_autoptr (VyreBoundProgram) larger = bind_program (program, NULL, 7, VYRE_MAX_OBSERVABLES);
  g_autoptr (VyreBoundProgram) chosen = bind_program (program, NULL, 0, 0);

  g_assert_cmpuint (exact->n_slots, ==, 4);
  g_assert_cmpuint (exact->n_observables, ==, 12);
  g_assert_cmpuint (chosen->n_slots, ==, 4);
  g_assert_cmpuint (chosen->n_observables, ==, 12);
  g_assert_cmpuint (larger->n_slots, ==, 7);
  g_assert_cmpuint (larger->n_used, ==, 4);
  g_assert_cmpuint (larger->n_observables, ==, VYRE_MAX_OBSERVABLES);
  g_assert_cmpmem (larger->slots, 4 * 64, exact->slots, 4 * 64);
  for (guint i = 4 * VYRE_SLOT_WORDS; i < 7 * VYRE_SLOT_WORDS; i++)
    g_assert_cmpuint (larger->slots[i], ==, 0);

  assert_bind_fails (program, 1, 3, 0, VYRE_ERROR_TOO_LARGE, "needs 4 ring slots and has only 3");
  assert_bind_fails (program, 1, 0, 11, VYRE_ERROR_TOO_LARGE, "needs 12 observables");
  assert_bind_fails (program, 1, G_MAXUINT, 0, VYRE_ERROR_TOO_LARGE, "limit of 1048576");
  assert_bind_fails (program, 1, 0, VYRE_MAX_OBSERVABLES + 1, VYRE_ERROR_TOO_LARGE, "limit of");
#if GLIB_SIZEOF_SIZE_T > 4
  assert_bind_fails (program, (gsize)G_MAXUINT32 + 1, 0, 0, VYRE_ERROR_TOO_LARGE, "4294967296");
#endif
}

static void
assert_assembly_fails (const char *text, VyreError code, const char *position, const char *message)
{
  GError *error = NULL;

  g_assert_null (vyre_program_assemble (text, &error));
  assert_error (error, code, position, message);
}

static void
test_nesting_limit (void)
{
  g_autofree char *close = repeat ("", ")", 64, "");
  g_autofree char *deepest = repeat ("no_fence; op width + 2 * ", "(width + 2 * ", 63, "(3");
  g_autofree char *fits = g_strconcat (deepest, close, " % 7", NULL);
  g_autofree char *too_deep = repeat ("op ", "(", 65, "1");
  g_autofree char *endless = repeat ("op ", "(", 500000, "");
  g_autofree char *side_by_side = repeat ("no_fence; op ", "(1) + ", 100, "(2)");
  g_autoptr (VyreProgram) program = assemble (fits);
  g_autoptr (VyreBoundProgram) bound = bind_text (side_by_side);

  g_assert_nonnull (program);
  g_assert_cmpuint (bound->slots[VYRE_SLOT_OPCODE], ==, 102);
  assert_assembly_fails (too_deep, VYRE_ERROR_SYNTAX, "1:68: ", "nest deeper than 64");
  assert_assembly_fails (endless, VYRE_ERROR_SYNTAX, "1:68: ", "nest deeper than 64");
}

/* The deepest evaluation that is possible, with numbers that stay small. */
static void
test_deep_value (void)
{
  g_autofree char *open
      = repeat ("no_fence; op payload.rows + 1 * ", "(payload.rows + 1 * ", 64, "5");
  g_autofree char *text = repeat (open, ")", 64, "");
  g_autoptr (VyreBoundProgram) bound = bind_text (text);

  g_assert_cmpuint (bound->slots[VYRE_SLOT_OPCODE], ==, 70);
}

static void
test_slot_limit (void)
{
  g_autofree char *most = repeat ("", "nop\n", 65535, "");
  g_autofree char *fence = repeat ("", "nop\n", 65536, "");
  g_autofree char *more = repeat ("no_fence;", "nop;", 65537, "");
  g_autoptr (VyreBoundProgram) bound = bind_text (most);

  g_assert_cmpuint (bound->n_used, ==, 65536);
  g_assert_cmpuint (bound->slots[65535 * 16 + VYRE_SLOT_ARGS], ==, 65535);
  assert_assembly_fails (fence, VYRE_ERROR_TOO_LARGE, "65537:1: ", "65536 slots");
  assert_assembly_fails (more, VYRE_ERROR_TOO_LARGE, "1:262154: ", "65536 slots");
}

static void
test_text_limit (void)
{
  g_autofree char *most = repeat ("nop", " ", (1 << 20) - 3, "");
  g_autofree char *more = repeat ("nop", " ", (1 << 20) - 2, "");
  g_autoptr (VyreBoundProgram) bound = bind_text (most);

  g_assert_cmpuint (bound->n_used, ==, 2);
  assert_assembly_fails (more, VYRE_ERROR_TOO_LARGE, "", "1048577 bytes");
}

static void
test_path_limit (void)
{
  g_autofree char *most = repeat ("nop; resource a = file '", "p", 4095, "'");
  g_autofree char *more = repeat ("nop; resource a = file '", "p", 4096, "'");
  g_autoptr (VyreBoundProgram) bound = bind_text (most);

  g_assert_cmpuint (strlen (bound->resources[0].path), ==, 4095);
  assert_assembly_fails (more, VYRE_ERROR_SYNTAX, "1:24: ", "4096 bytes");
}

static void
test_observable_limit (void)
{
  GString *text = g_string_new (NULL);

  /* 1 + 4095 * 256 + 255 words are the limit */
  for (guint i = 0; i < 4095; i++)
    g_string_append_printf (text, "u8_histogram payload -> h%u\n", i);
  for (guint i = 0; i < 255; i++)
    g_string_append_printf (text, "store_u32 1 -> w%u\n", i);
  {
    g_autoptr (VyreBoundProgram) bound = bind_text (text->str);

    g_assert_cmpuint (bound->n_observables, ==, VYRE_MAX_OBSERVABLES);
  }
  g_string_append (text, "store_u32 1 -> w\n");
  assert_assembly_fails (text->str, VYRE_ERROR_TOO_LARGE, "4351:16: ", "observables");
  g_string_free (text, TRUE);
}

/* Long chains of lets do not recurse, and each let is evaluated once at most. */
static void
test_many_lets (void)
{
  GString *text = g_string_new ("no_fence; let a0 = payload.rows\n");

  for (guint i = 1; i < 20000; i++)
    g_string_append_printf (text, "let a%u = a%u + a%u - payload.rows\n", i, i - 1, i - 1);
  g_string_append (text, "op a19999, &r; store_u32 a1 -> r");
  {
    g_autoptr (VyreBoundProgram) bound = bind_text (text->str);

    g_assert_cmpuint (bound->slots[VYRE_SLOT_OPCODE], ==, 1);
    g_assert_cmpuint (bound->slots[VYRE_SLOT_ARGS], ==, 161);
  }
  g_string_free (text, TRUE);
}

static void
write_file (const char *path, const char *contents, gssize length)
{
  g_assert_true (g_file_set_contents (path, contents, length, NULL));
}

static void
assert_load_fails (const char *path, VyreError code, const char *position, const char *message)
{
  GError *error = NULL;

  g_assert_null (vyre_program_load (path, &error));
  assert_error (error, code, position, message);
}

/* The name of a built-in program is no text of one. */
static void
test_bare_name (void)
{
  GError *error = NULL;

  g_assert_null (vyre_program_from_string ("frame-stats", &error));
  assert_error (error, VYRE_ERROR_INVALID, "", "Fix: write builtin:frame-stats.");
}

/* A byte order mark in front of a text changes nothing, and its bytes do not count. */
static void
assert_mark_is_skipped (const char *path, const char *text)
{
  g_autofree char *marked = g_strconcat ("\ufeff", text, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreProgram) plain = vyre_program_from_string (text, &error);
  g_autoptr (VyreProgram) typed = vyre_program_from_string (marked, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (vyre_program_get_id (typed), ==, vyre_program_get_id (plain));
  if (g_str_has_prefix (text, "builtin:"))
    return;
  write_file (path, marked, -1);
  g_autoptr (VyreProgram) loaded = vyre_program_load (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vyre_program_get_id (loaded), ==, vyre_program_get_id (plain));
}

static void
test_mark (void)
{
  g_autofree char *folder = g_dir_make_tmp ("vyre-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "program.vyre", NULL);
  g_autofree char *most = repeat ("nop", " ", (1 << 20) - 3, "");
  g_autofree char *more = repeat ("\ufeffnop", " ", (1 << 20) - 2, "");

  assert_mark_is_skipped (path, "nop; crc32 payload -> crc");
  assert_mark_is_skipped (path, "builtin:bytes");
  assert_mark_is_skipped (path, most);
  write_file (path, more, -1);
  assert_load_fails (path, VYRE_ERROR_TOO_LARGE, "", "1048577 bytes");
  write_file (path, "\ufeff", -1);
  assert_load_fails (path, VYRE_ERROR_SYNTAX, "1:1: ", "no statement");
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_load (void)
{
  g_autofree char *folder = g_dir_make_tmp ("vyre-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "program.vyre", NULL);
  g_autofree char *large = repeat ("nop", " ", 1 << 20, "");

  assert_load_fails (path, VYRE_ERROR_IO, "", path);
  assert_load_fails (folder, VYRE_ERROR_IO, "", "regular file");
  write_file (path, "nop\nnop\0nop", 11);
  assert_load_fails (path, VYRE_ERROR_SYNTAX, "2:4: ", "not UTF-8");
  write_file (path, large, -1);
  assert_load_fails (path, VYRE_ERROR_TOO_LARGE, "", "the limit is 1048576");
  write_file (path, "nop\n@", -1);
  assert_load_fails (path, VYRE_ERROR_SYNTAX, "2:1: ", "'@'");
  write_file (path, "nop", -1);
  {
    GError *error = NULL;
    g_autoptr (VyreProgram) loaded = vyre_program_load (path, &error);
    g_autoptr (VyreProgram) typed = assemble ("nop");

    g_assert_no_error (error);
    g_assert_cmpstr (vyre_program_get_id (loaded), ==, vyre_program_get_id (typed));
  }
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* The longest part of @text that the error quotes, in bytes. */
static gsize
count_quoted (const GError *error, const char *text, gsize length)
{
  gsize most = 0;

  for (gsize start = 0; start < length; start++) {
    for (gsize n = most + 1; start + n <= length; n++) {
      g_autofree char *part = g_strndup (text + start, n);
      if (strlen (part) < n || !strstr (error->message, part))
        break;
      most = n;
    }
  }
  return most;
}

/* The error for a file that is no program quotes little of it. */
static void
test_quotes (void)
{
  /* Letters that are in no message of the library. An error quotes one word of them at most, and
   * of a long word a part. */
  static const struct {
    const char *text;
    gsize length; /* 0: all of it */
    gsize quoted; /* at most */
  } cases[] = {
    { "XQZWXQZW\nJXQJ\0XQZW", 18, 1 },
    { "\xffXQZWXQZW XQZWXQ\xfe\n", 0, 1 },
    { "XQZWXQ:JZWQX:19000:0:99999:7:::\n", 0, 6 },
    { "XQZWXQZWXQZWXQZWXQZWXQZWJJJJJJJJJJJJJJJJJJJJJJJJ = 7\n", 0, 24 },
    { "nop 'XQZWXQZW JXQJ'\n", 0, 1 },
    { "crc32 payload -> 'XQZWXQZW JXQJ'\n", 0, 1 },
  };
  g_autofree char *path = NULL;
  g_autofree char *large = repeat ("XQZW", "J", 1 << 20, "");
  int fd = g_file_open_tmp ("vyre-XXXXXX", &path, NULL);

  close (fd);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const char *text = cases[i].text;
    gsize length = cases[i].length > 0 ? cases[i].length : strlen (text);
    g_autoptr (GError) error = NULL;
    write_file (path, text, (gssize)length);
    g_assert_null (vyre_program_load (path, &error));
    g_test_message ("%s", error->message);
    const char *foreign = memchr (text, 'X', length);
    g_assert_cmpuint (
        count_quoted (error, foreign, length - (gsize)(foreign - text)), <=, cases[i].quoted);
  }
  g_autoptr (GError) error = NULL;
  write_file (path, large, -1);
  g_assert_null (vyre_program_load (path, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE);
  g_assert_null (strstr (error->message, "XQ"));
  g_assert_cmpint (g_remove (path), ==, 0);
}

/* A FIFO without a writer is not waited for. */
static void
test_fifo (void)
{
  g_autofree char *folder = g_dir_make_tmp ("vyre-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "fifo", NULL);

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  assert_load_fails (path, VYRE_ERROR_IO, "", "regular file");
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/program/syntax-errors", test_syntax_errors);
  g_test_add_func ("/program/bare-name", test_bare_name);
  g_test_add_func ("/program/reserved-results", test_reserved_results);
  g_test_add_func ("/program/bind-errors", test_bind_errors);
  g_test_add_func ("/program/sizes", test_sizes);
  g_test_add_func ("/program/limits/nesting", test_nesting_limit);
  g_test_add_func ("/program/limits/deep-value", test_deep_value);
  g_test_add_func ("/program/limits/slots", test_slot_limit);
  g_test_add_func ("/program/limits/text", test_text_limit);
  g_test_add_func ("/program/limits/path", test_path_limit);
  g_test_add_func ("/program/limits/observables", test_observable_limit);
  g_test_add_func ("/program/limits/lets", test_many_lets);
  g_test_add_func ("/program/mark", test_mark);
  g_test_add_func ("/program/load", test_load);
  g_test_add_func ("/program/quotes", test_quotes);
  g_test_add_func ("/program/fifo", test_fifo);
  return g_test_run ();
}
