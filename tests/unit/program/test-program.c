/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The program language: the slots that statements assemble and bind to.
 */
#include "program-common.h"

/* The expected words of one slot; arguments not listed are zero. */
typedef struct {
  const char *text;
  guint32 opcode;
  guint32 args[VYRE_SLOT_MAX_ARGS];
} SlotCase;

static void
assert_slot (
    const guint32 *slot, guint32 opcode, guint32 tenant, guint32 priority, const guint32 *args)
{
  g_assert_cmpuint (slot[VYRE_SLOT_STATUS], ==, VYRE_STATUS_PUBLISHED);
  g_assert_cmphex (slot[VYRE_SLOT_OPCODE], ==, opcode);
  g_assert_cmpuint (slot[VYRE_SLOT_TENANT], ==, tenant);
  g_assert_cmpuint (slot[VYRE_SLOT_PRIORITY], ==, priority);
  for (guint i = 0; i < VYRE_SLOT_MAX_ARGS; i++)
    g_assert_cmphex (slot[VYRE_SLOT_ARGS + i], ==, args[i]);
}

static const SlotCase slot_cases[] = {
  { "nop", 0, { 0 } },
  { "store_u32 7, 161", 1, { 7, 161 } },
  { "STORE_U32 7 , 0xA1", 1, { 7, 161 } },
  { "Store_U32 7 -> a", 1, { 7, 161 } },
  { "store_u32 7 -> 0", 1, { 7, 160 } },
  { "store_u32 7 -> (2 + 3)", 1, { 7, 165 } },
  { "store_u32 7 -> 1048575", 1, { 7, 160 + 1048575 } },
  { "atomic_add 0xFFFFFFFF, 170", 2, { 4294967295u, 170 } },
  { "atomic_add 1 -> hits", 2, { 1, 161 } },
  { "load_u32 1, 4", 3, { 1, 4 } },
  { "load_u32 1 -> done", 3, { 1, 1 } },
  { "load_u32 1 -> 9", 3, { 1, 9 } },
  { "compare_swap 161, 0, 5", 4, { 161, 0, 5 } },
  { "memcpy 160, 200, 8", 5, { 160, 200, 8 } },
  { "dfa_step 3, 255", 6, { 3, 255 } },
  { "batch_fence 5, 77", 7, { 5, 77 } },
  { "batch_fence", 7, { 0, 0 } },
  { "batch_fence 5", 7, { 5, 0 } },
  { "batch_fence 5, Sequence", 7, { 5, 0 } },
  { "load_miss 12", 0xFFFD, { 12 } },
  { "load_miss 12, 1", 0xFFFD, { 12, 1 } },
  { "printf 1", 0xFFFE, { 1 } },
  { "printf 1, 2, 3", 0xFFFE, { 1, 2, 3 } },
  { "shutdown", 0xFFFFFFFFu, { 0 } },
  { "op 0x40300001", 0x40300001u, { 0 } },
  { "OP 32, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12", 32, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } },
  { "op width, height", 1920, { 1080 } },
  { "u8_stats luma -> y", 0x40000100u, { 0, 1920, 1080, 1920, 1 } },
  { "u8_stats plane1 -> 5", 0x40000100u, { 2073600, 960, 540, 960, 5 } },
  { "U8_HISTOGRAM payload -> h", 0x40000101u, { 0, PAYLOAD, 1, PAYLOAD, 1 } },
  { "u8_below v, 17 -> dark", 0x40000102u, { 2592000, 960, 540, 960, 1, 17 } },
  { "u8_below u, 256 -> dark", 0x40000102u, { 2073600, 960, 540, 960, 1, 256 } },
  { "crc32 payload -> sum", 0x40000103u, { 0, PAYLOAD, 1, PAYLOAD, 1 } },
  { "crc32 luma -> sum", 0x40000103u, { 0, 1920, 1080, 1920, 1 } },
  { "crc32 bytes(4, 100) -> sum", 0x40000103u, { 4, 100, 1, 100, 1 } },
  { "crc32 region(8, 10, 1, 99) -> sum", 0x40000103u, { 8, 10, 1, 99, 1 } },
  { "crc32 previous(luma) -> 5", 0x40000103u, { 0, 1920, 1080, 1920, 0x10000005 } },
  { "keep reference when $sum <= 9; crc32 reference(luma) -> sum", 0x40000103u,
      { 0, 1920, 1080, 1920, 0x20000001 } },
  { "u8_below Previous ( bytes(4, 100) ), 9 -> dark", 0x40000102u,
      { 4, 100, 1, 100, 0x10000001, 9 } },
  { "adler32 luma -> sum", 0x40000104u, { 0, 1920, 1080, 1920, 1 } },
  { "crc32c bytes(2, 7) -> sum", 0x40000108u, { 2, 7, 1, 7, 1 } },
  { "u8_stats region(luma.offset + 4, width / 2, height, luma.stride) -> y", 0x40000100u,
      { 4, 960, 1080, 1920, 1 } },
  { "u8_stats REGION(1, 2, 3, 4) -> y", 0x40000100u, { 1, 2, 3, 4, 1 } },
  { "op 9, plane1.offset, plane1.width, plane1.rows, plane1.stride, plane1.size", 9,
      { 2073600, 960, 540, 960, 518400 } },
  { "op 9, payload.offset, payload.width, payload.rows, payload.stride, payload.size", 9,
      { 0, PAYLOAD, 1, PAYLOAD, PAYLOAD } },
  { "op 9, width, height, planes, bits, u.size, v.rows", 9, { 1920, 1080, 3, 8, 518400, 540 } },
  { "op 9, 2 + 3 * 4, (2 + 3) * 4, 20 - 5 - 3, 100 / 7 / 2, 17 % 5, 7 - (5 - 3)", 9,
      { 14, 20, 12, 7, 2, 5 } },
  { "op 9, 0x0, 007, 0XfF, 4294967295", 9, { 0, 7, 255, 4294967295u } },
  { "op 9, width-1, 1+height*2", 9, { 1919, 2161 } },
  { "let half = width / 2; op 9, half, half * half", 9, { 960, 921600 } },
  { "let a = 6; let b_2 = a * 7\nop b_2, a", 42, { 6 } },
  { "packed_slot { nop }", 0x80000001u, { 1 } },
  { "packed_slot { store_u32 7, 161 | atomic_add 1, 162 }", 0x80000001u,
      { 2 | 4 << 8 | 1 << 16, 2 | 2 << 8, 7, 161, 1, 162 } },
  { "packed_slot { store_u32 7 -> a | load_u32 1 -> b }", 0x80000001u,
      { 2 | 4 << 8 | 1 << 16, 3 | 2 << 8, 7, 161, 1, 2 } },
  { "packed_slot {\n nop |  # first\n\n op 0x20, 9\n | nop\n}", 0x80000001u,
      { 3 | 1 << 8, 0x20 | 0 << 8 | 0 << 16 | 1u << 24, 9 } },
  { "packed_slot { compare_swap 1, 2, 3 | memcpy 4, 5, 6 | memcpy 7, 8, 9 }", 0x80000001u,
      { 3 | 9 << 8 | 4 << 16, 5 | 3 << 8 | 5 << 16 | 6u << 24, 1, 2, 3, 4, 5, 6, 7, 8, 9 } },
  { "packed_slot { op 255, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }", 0x80000001u,
      { 1 | 11 << 8 | 255 << 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } },
};

static void
test_slots (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (slot_cases); i++) {
    const SlotCase *row = &slot_cases[i];
    g_autofree char *text = g_strconcat ("no_fence\n", row->text, NULL);
    g_autoptr (VyreBoundProgram) bound = bind_text (text);

    g_test_message ("%s", row->text);
    g_assert_cmpuint (bound->n_slots, ==, 1);
    g_assert_cmpuint (bound->n_used, ==, 1);
    assert_slot (bound->slots, row->opcode, 0, VYRE_PRIORITY_NORMAL, row->args);
  }
}

/* The paired buffer is half as large, with rows that are apart. */
static void
test_paired (void)
{
  enum { OWN = PAYLOAD - 1000 };
  static const guint32 region[VYRE_SLOT_MAX_ARGS] = { OWN + 3, 10, 5, 40, 1 };
  static const guint32 own[VYRE_SLOT_MAX_ARGS] = { 0, OWN, 1, OWN, 2 };
  static const guint32 whole[VYRE_SLOT_MAX_ARGS] = { OWN, 1000, 1, 1000, 3 };
  static const VyreRegion place = { 3, 10, 5, 40 };
  g_autoptr (VyreProgram) program
      = assemble ("no_fence; u8_below paired(plane0), 9 -> a; crc32 payload -> b; crc32 "
                  "paired(payload) -> c");
  g_autoptr (VyreSymbols) symbols = video_bindings (), paired = vyre_symbols_new ();
  GError *error = NULL;

  vyre_symbols_set_region (paired, "plane0", &place);
  vyre_symbols_set_paired (symbols, paired, OWN, 1000);
  g_autoptr (VyreBoundProgram) bound = bind_program (program, symbols, 0, 0);
  g_assert_cmpmem (bound->slots + VYRE_SLOT_ARGS, 20, region, 20);
  assert_slot (bound->slots + 16, VYRE_OP_CRC32, 0, VYRE_PRIORITY_NORMAL, own);
  assert_slot (bound->slots + 32, VYRE_OP_CRC32, 0, VYRE_PRIORITY_NORMAL, whole);
  vyre_symbols_set_paired (symbols, NULL, 0, 0);
  g_assert_null (vyre_program_bind (program, symbols, PAYLOAD, 0, 0, &error));
  assert_error (error, VYRE_ERROR_UNBOUND, "1:27: ", "second stream");
}

static void
test_attributes (void)
{
  static const guint32 none[VYRE_SLOT_MAX_ARGS] = { 0 };
  g_autoptr (VyreBoundProgram) bound
      = bind_text ("nop @tenant=3 @priority=critical\n"
                   "nop @priority=high;nop @priority = low @tenant = 1+1\n"
                   "nop @priority=idle; nop @priority=normal\n"
                   "nop @priority=planes @tenant=width\n"
                   "packed_slot { nop | nop } @tenant=9\n"
                   "u8_stats luma -> x @priority=(4 - 3)\n"
                   "op 50 @tenant=0xFFFFFFFF; no_fence");
  const guint32 *slots = bound->slots;

  g_assert_cmpuint (bound->n_used, ==, 9);
  assert_slot (slots, 0, 3, 0, none);
  assert_slot (slots + 16, 0, 0, 1, none);
  assert_slot (slots + 32, 0, 2, 3, none);
  assert_slot (slots + 48, 0, 0, 4, none);
  assert_slot (slots + 64, 0, 0, 2, none);
  assert_slot (slots + 80, 0, 1920, 3, none);
  g_assert_cmpuint (slots[96 + VYRE_SLOT_TENANT], ==, 9);
  g_assert_cmpuint (slots[112 + VYRE_SLOT_PRIORITY], ==, 1);
  assert_slot (slots + 128, 50, 4294967295u, 2, none);
}

static void
test_fence (void)
{
  g_autoptr (VyreBoundProgram) appended = bind_text ("nop; nop");
  g_autoptr (VyreBoundProgram) written = bind_text ("batch_fence; nop; nop");
  g_autoptr (VyreBoundProgram) tagged
      = bind_text ("nop; batch_fence 1, 7; batch_fence 2, sequence");
  g_autoptr (VyreBoundProgram) none = bind_text ("nop; no_fence");
  g_autoptr (VyreBoundProgram) raw = bind_text ("op 7, 1, 2; no_fence");
  static const guint32 two[VYRE_SLOT_MAX_ARGS] = { 2 };

  g_assert_cmpuint (appended->n_used, ==, 3);
  g_assert_cmpint (appended->sequence_slot, ==, 2);
  assert_slot (appended->slots + 32, VYRE_OP_BATCH_FENCE, 0, VYRE_PRIORITY_NORMAL, two);
  g_assert_cmpuint (appended->n_observables, ==, 1);

  g_assert_cmpuint (written->n_used, ==, 3);
  g_assert_cmpint (written->sequence_slot, ==, 0);
  assert_slot (written->slots, VYRE_OP_BATCH_FENCE, 0, VYRE_PRIORITY_NORMAL, two);

  g_assert_cmpuint (tagged->n_used, ==, 3);
  g_assert_cmpint (tagged->sequence_slot, ==, 2);
  g_assert_cmpuint (tagged->slots[16 + VYRE_SLOT_ARGS + 1], ==, 7);

  g_assert_cmpuint (none->n_used, ==, 1);
  g_assert_cmpint (none->sequence_slot, ==, -1);
  g_assert_cmpuint (none->n_observables, ==, 0);
  g_assert_cmpuint (raw->n_observables, ==, 1);
  g_assert_cmpint (raw->sequence_slot, ==, -1);
}

static void
assert_result (const VyreBoundProgram *bound, guint index, const char *name, VyreResultType type,
    guint observable, guint n_words)
{
  g_assert_cmpuint (index, <, bound->n_results);
  g_assert_cmpstr (bound->results[index].name, ==, name);
  g_assert_cmpint (bound->results[index].type, ==, type);
  g_assert_cmpuint (bound->results[index].observable, ==, observable);
  g_assert_cmpuint (bound->results[index].n_words, ==, n_words);
}

/* Names, types and numbering; references forwards; sharing a word. */
static void
test_results (void)
{
  g_autoptr (VyreBoundProgram) bound = bind_text ("memcpy &z-2, &hist + 255, 1\n"
                                                  "u8_stats luma -> hist-0\n"
                                                  "u8_histogram payload -> hist\n"
                                                  "store_u32 &sum->n\n"
                                                  "atomic_add 5 -> n; load_u32 1 -> n\n"
                                                  "crc32 payload -> sum\n"
                                                  "packed_slot { store_u32 1 -> z-2 }\n"
                                                  "store_u32 2 -> 400");

  g_assert_cmpuint (bound->n_results, ==, 5);
  assert_result (bound, 0, "hist-0", VYRE_RESULT_STATS, 1, 7);
  assert_result (bound, 1, "hist", VYRE_RESULT_HISTOGRAM, 8, 256);
  assert_result (bound, 2, "n", VYRE_RESULT_U32, 264, 1);
  assert_result (bound, 3, "sum", VYRE_RESULT_U32, 265, 1);
  assert_result (bound, 4, "z-2", VYRE_RESULT_U32, 266, 1);
  g_assert_cmpstr (bound->results[0].units, ==, "bytes levels");
  g_assert_cmpstr (bound->results[1].units, ==, "bytes");
  g_assert_cmpstr (bound->results[2].units, ==, NULL);
  g_assert_cmpuint (bound->n_observables, ==, 401);
  g_assert_cmpuint (bound->slots[VYRE_SLOT_ARGS], ==, 160 + 266);
  g_assert_cmpuint (bound->slots[VYRE_SLOT_ARGS + 1], ==, 160 + 8 + 255);
  g_assert_cmpuint (bound->slots[3 * 16 + VYRE_SLOT_ARGS], ==, 160 + 265);
  g_assert_cmpuint (bound->slots[4 * 16 + VYRE_SLOT_ARGS + 1], ==, 160 + 264);
  g_assert_cmpuint (bound->slots[5 * 16 + VYRE_SLOT_ARGS + 1], ==, 264);
}

/* State has places like other results; ranges of it that touch are one. */
static void
test_state (void)
{
  g_autoptr (VyreBoundProgram) bound = bind_text ("store_u32 &last + 1, 7\n"
                                                  "crc32 payload -> sum; state last-2[2]\n"
                                                  "state n[0x1]; atomic_add 5 -> n\n"
                                                  "u8_stats payload -> s; state last[4096]");

  g_assert_cmpuint (bound->n_results, ==, 5);
  assert_result (bound, 1, "last-2", VYRE_RESULT_WORDS, 2, 2);
  assert_result (bound, 2, "n", VYRE_RESULT_U32, 4, 1);
  assert_result (bound, 4, "last", VYRE_RESULT_WORDS, 12, 4096);
  g_assert_cmpstr (bound->results[4].units, ==, NULL);
  g_assert_cmpuint (bound->n_states, ==, 2);
  g_assert_cmpuint (bound->states[0].observable, ==, 2);
  g_assert_cmpuint (bound->states[0].n_words, ==, 3);
  g_assert_cmpuint (bound->states[1].observable, ==, 12);
  g_assert_cmpuint (bound->states[1].n_words, ==, 4096);
  g_assert_cmpuint (bound->slots[VYRE_SLOT_ARGS], ==, 160 + 13);
  g_assert_cmpuint (bound->slots[2 * 16 + VYRE_SLOT_ARGS + 1], ==, 160 + 4);
}

static void
test_optional (void)
{
  g_autoptr (VyreProgram) program
      = assemble ("u8_stats payload -> a; optional u8_stats u -> b\n"
                  "optional crc32 region(v.offset, 1, 1, 1) -> c\n"
                  "let e = rate * 2\n"
                  "optional u8_below bytes(e, 3), 4 -> d; store_u32 &b -> f");
  g_autoptr (VyreSymbols) symbols = video_bindings ();
  g_autoptr (VyreBoundProgram) video = bind_program (program, symbols, 0, 0);
  g_autoptr (VyreBoundProgram) none = bind_program (program, NULL, 0, 0);

  g_assert_cmpuint (video->n_used, ==, 5);
  g_assert_cmpuint (video->n_results, ==, 4);
  assert_result (video, 1, "b", VYRE_RESULT_STATS, 8, 7);
  assert_result (video, 2, "c", VYRE_RESULT_U32, 15, 1);
  assert_result (video, 3, "f", VYRE_RESULT_U32, 17, 1);

  g_assert_cmpuint (none->n_used, ==, 3);
  g_assert_cmpuint (none->n_results, ==, 2);
  assert_result (none, 0, "a", VYRE_RESULT_STATS, 1, 7);
  assert_result (none, 1, "f", VYRE_RESULT_U32, 17, 1);
  g_assert_cmpuint (none->n_observables, ==, video->n_observables);
  g_assert_cmpuint (none->slots[16 + VYRE_SLOT_ARGS], ==, 168);
  g_assert_cmpuint (none->slots[32 + VYRE_SLOT_ARGS], ==, 2);
  g_assert_cmpint (none->sequence_slot, ==, 2);
}

/* A program whose slots are all left out has only the slots that fill the ring up. */
static void
test_optional_alone (void)
{
  g_autoptr (VyreProgram) program = assemble ("no_fence; optional u8_stats luma -> a");
  g_autoptr (VyreBoundProgram) bound = bind_program (program, NULL, 0, 0);

  g_assert_cmpuint (bound->n_used, ==, 0);
  g_assert_cmpuint (bound->n_slots, ==, 1);
  g_assert_cmpuint (bound->n_results, ==, 0);
  for (guint i = 0; i < VYRE_SLOT_WORDS; i++)
    g_assert_cmpuint (bound->slots[i], ==, 0);
}

/* An unused let may need a symbol that the stream lacks. */
static void
test_unused_let (void)
{
  g_autoptr (VyreProgram) program = assemble ("let a = rate / payload.offset; nop");
  g_autoptr (VyreBoundProgram) bound = bind_program (program, NULL, 0, 0);

  g_assert_cmpuint (bound->n_used, ==, 2);
}

static void
test_payload_sizes (void)
{
  static const gsize sizes[] = { 0, 1, G_MAXUINT32 };
  g_autoptr (VyreProgram) program = assemble ("u8_stats payload -> a");

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, NULL, sizes[i], 0, 0, NULL);

    g_assert_nonnull (bound);
    g_assert_cmpuint (bound->slots[VYRE_SLOT_ARGS + 1], ==, sizes[i]);
    g_assert_cmpuint (bound->slots[VYRE_SLOT_ARGS + 3], ==, sizes[i]);
  }
}

static void
test_layout (void)
{
  g_autoptr (VyreBoundProgram) bound
      = bind_text ("\r\n# comment; not a statement\r\n;;\tnop # why\n"
                   "nop;nop ;# \xc3\xa9t\xc3\xa9\n\n let x=2;op x,x+1");

  g_assert_cmpuint (bound->n_used, ==, 5);
  g_assert_cmpuint (bound->slots[3 * 16 + VYRE_SLOT_OPCODE], ==, 2);
  g_assert_cmpuint (bound->slots[3 * 16 + VYRE_SLOT_ARGS], ==, 3);
}

static void
test_frame_stats (void)
{
  static const guint32 luma[VYRE_SLOT_MAX_ARGS] = { 0, 1920, 1080, 1920, 1 };
  static const guint32 u[VYRE_SLOT_MAX_ARGS] = { 2073600, 960, 540, 960, 8 };
  static const guint32 v[VYRE_SLOT_MAX_ARGS] = { 2592000, 960, 540, 960, 15 };
  static const guint32 black[VYRE_SLOT_MAX_ARGS] = { 0, 1920, 1080, 1920, 22, 17 };
  static const guint32 fence[VYRE_SLOT_MAX_ARGS] = { 4 };
  g_autoptr (VyreProgram) program = vyre_program_builtin ("frame-stats", NULL);
  g_autoptr (VyreSymbols) symbols = video_bindings ();
  g_autoptr (VyreBoundProgram) bound = bind_program (program, symbols, 0, 0);

  g_assert_cmpstr (vyre_program_get_id (program), ==, "builtin:frame-stats");
  g_assert_cmpuint (bound->n_used, ==, 5);
  g_assert_cmpuint (bound->n_observables, ==, 23);
  g_assert_cmpint (bound->sequence_slot, ==, 4);
  assert_slot (bound->slots, VYRE_OP_U8_STATS, 0, 2, luma);
  assert_slot (bound->slots + 16, VYRE_OP_U8_STATS, 0, 2, u);
  assert_slot (bound->slots + 32, VYRE_OP_U8_STATS, 0, 2, v);
  assert_slot (bound->slots + 48, VYRE_OP_U8_BELOW, 0, 2, black);
  assert_slot (bound->slots + 64, VYRE_OP_BATCH_FENCE, 0, 2, fence);
  g_assert_cmpuint (bound->n_results, ==, 4);
  assert_result (bound, 0, "luma", VYRE_RESULT_STATS, 1, 7);
  assert_result (bound, 1, "u", VYRE_RESULT_STATS, 8, 7);
  assert_result (bound, 2, "v", VYRE_RESULT_STATS, 15, 7);
  assert_result (bound, 3, "black", VYRE_RESULT_U32, 22, 1);
  g_assert_cmpstr (bound->results[0].units, ==, "samples levels");
  g_assert_cmpstr (bound->results[3].units, ==, "samples");
}

/* Gray video: no colour planes, and the other results stay where they were. */
static void
test_frame_stats_gray (void)
{
  static const VyreRegion luma = { 0, 64, 48, 64 };
  g_autoptr (VyreProgram) program = vyre_program_builtin ("frame-stats", NULL);
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  g_autoptr (VyreBoundProgram) bound = NULL;

  assert_bind_fails (program, 3072, 0, 0, VYRE_ERROR_UNBOUND, "'luma' is not defined");
  vyre_symbols_set_region (symbols, "luma", &luma);
  bound = bind_program (program, symbols, 0, 0);
  g_assert_cmpuint (bound->n_used, ==, 3);
  g_assert_cmpuint (bound->n_results, ==, 2);
  assert_result (bound, 1, "black", VYRE_RESULT_U32, 22, 1);
  g_assert_cmpuint (bound->slots[32 + VYRE_SLOT_ARGS], ==, 2);
}

/* Samples of 10 bits in pairs, as P010 has its chroma; those of luma are bytes, which are a region
 * as well. */
static void
test_components (void)
{
  static const VyreRegion luma = { 0, 64, 48, 64 }, u = { 3072, 126, 24, 128 };
  static const guint32 samples = VYRE_SAMPLES (4, 2, 0, 6, 10);
  static const guint32 of_u[VYRE_SLOT_MAX_ARGS] = { 3072, 126, 24, 128, 8, samples };
  static const guint32 below[VYRE_SLOT_MAX_ARGS] = { 3072, 126, 24, 128, 22, samples, 1000 };
  static const guint32 scaled[VYRE_SLOT_MAX_ARGS] = { 0, 64, 48, 64, 17, 256 };
  static const guint32 payload[VYRE_SLOT_MAX_ARGS] = { 0, PAYLOAD, 1, PAYLOAD, 0 };
  g_autoptr (VyreProgram) program = assemble (
      "no_fence; u8_stats luma -> a; sample_stats u -> b; optional sample_stats v -> c; "
      "sample_below u, 250 * u.scale -> d; sample_below luma, 300 * luma.scale -> 17; "
      "sample_stats payload -> 0");
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();

  vyre_symbols_set_component (symbols, "luma", &luma, VYRE_SAMPLES_ARE_BYTES);
  vyre_symbols_set_component (symbols, "u", &u, samples);
  g_autoptr (VyreBoundProgram) bound = bind_program (program, symbols, 0, 0);
  g_assert_cmpuint (bound->n_used, ==, 5);
  assert_slot (bound->slots + 16, VYRE_OP_SAMPLE_STATS, 0, 2, of_u);
  assert_slot (bound->slots + 32, VYRE_OP_SAMPLE_BELOW, 0, 2, below);
  assert_slot (bound->slots + 48, VYRE_OP_U8_BELOW, 0, 2, scaled);
  assert_slot (bound->slots + 64, VYRE_OP_U8_STATS, 0, 2, payload);
  assert_result (bound, 1, "b", VYRE_RESULT_STATS, 8, 7);
}

/* Two channels of S16LE and the last channel that there may be, of S24BE in a plane. */
static void
test_channels (void)
{
  static const guint32 stereo = VYRE_AUDIO (4u, 2u, 0u, VYRE_AUDIO_SIGNED, 16u);
  static const guint32 plane = VYRE_AUDIO (3u, 3u, 1u, VYRE_AUDIO_SIGNED, 24u);
  static const guint32 left[VYRE_SLOT_MAX_ARGS] = { 0, 398, 1, 398, 1, stereo };
  static const guint32 last[VYRE_SLOT_MAX_ARGS] = { 500, 300, 1, 300, 27, plane };
  static const guint32 any[VYRE_SLOT_MAX_ARGS] = { 7, PAYLOAD, 1, PAYLOAD, 50, 0x4020004 };
  static const guint32 loud[VYRE_SLOT_MAX_ARGS] = { 2, 398, 1, 398, 40, stereo, 1 << 21 };
  g_autoptr (VyreProgram) program = assemble (
      "no_fence; audio_stats channel0 -> a; optional audio_stats channel2 -> b; "
      "AUDIO_STATS channel255 -> c; audio_stats audio(7, payload.size, 0x4020004) -> 50;"
      "audio_loud channel1, channel255.full_scale / 4 -> d");
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();

  vyre_symbols_set_channel (symbols, 0, 0, 398, stereo);
  vyre_symbols_set_channel (symbols, 1, 2, 398, stereo);
  vyre_symbols_set_channel (symbols, 255, 500, 300, plane);
  g_autoptr (VyreBoundProgram) bound = bind_program (program, symbols, 0, 0);
  g_assert_cmpuint (bound->n_used, ==, 4);
  g_assert_cmpuint (bound->n_results, ==, 3);
  assert_slot (bound->slots, VYRE_OP_AUDIO_STATS, 0, 2, left);
  assert_slot (bound->slots + 16, VYRE_OP_AUDIO_STATS, 0, 2, last);
  assert_slot (bound->slots + 32, VYRE_OP_AUDIO_STATS, 0, 2, any);
  assert_slot (bound->slots + 48, VYRE_OP_AUDIO_LOUD, 0, 2, loud);
  assert_result (bound, 1, "c", VYRE_RESULT_AUDIO, 27, VYRE_AUDIO_STATS_WORDS);
  assert_result (bound, 2, "d", VYRE_RESULT_LOUD, 40, VYRE_LOUD_WORDS);
}

/* Components that are held against each other, in the words of both; an optional statement needs
 * both. */
static void
test_two_components (void)
{
  static const VyreRegion u = { 3072, 126, 24, 128 }, v = { 3074, 126, 24, 128 };
  static const guint32 samples = VYRE_SAMPLES (4, 2, 0, 6, 10);
  static const guint32 words[VYRE_SLOT_MAX_ARGS]
      = { 3072, 126, 24, 128, 10, samples, 500, 3074, 126, 24, 128, samples };
  static const guint32 range[VYRE_SLOT_MAX_ARGS] = { 0, 128, 47, 128, 18,
    VYRE_SAMPLES (2, 2, 0, 6, 10), 3072, 3074, samples, samples, 128, 0x101 };
  static const guint32 ssim[VYRE_SLOT_MAX_ARGS]
      = { 3072, 126, 24, 128, 19, samples, 0, 3074, 126, 24, 128, samples };
  g_autoptr (VyreProgram) program
      = assemble ("no_fence; optional sample_difference u, red, 1 -> a;"
                  "optional sample_range luma, u, red -> c;"
                  "optional sample_difference u, v, 125 * u.scale -> b; sample_range "
                  "samples(0, 128, 47, 128, 0x146202), u, v -> d; sample_ssim u, v -> e; nop");
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();

  vyre_symbols_set_component (symbols, "u", &u, samples);
  vyre_symbols_set_component (symbols, "v", &v, samples);
  g_autoptr (VyreBoundProgram) bound = bind_program (program, symbols, 0, 0);
  g_assert_cmpuint (bound->n_used, ==, 4);
  assert_slot (bound->slots, VYRE_OP_SAMPLE_DIFFERENCE, 0, 2, words);
  assert_slot (bound->slots + 16, VYRE_OP_SAMPLE_RANGE, 0, 2, range);
  assert_slot (bound->slots + 32, VYRE_OP_SAMPLE_SSIM, 0, 2, ssim);
  g_assert_cmpuint (bound->n_results, ==, 3);
  assert_result (bound, 0, "b", VYRE_RESULT_DIFFERENCE, 10, VYRE_DIFFERENCE_WORDS);
  assert_result (bound, 1, "d", VYRE_RESULT_U32, 18, 1);
  assert_result (bound, 2, "e", VYRE_RESULT_SSIM, 19, VYRE_SSIM_WORDS);
}

/* A param is a constant for the statements after it; another value makes another program. */
static void
test_params (void)
{
  static const VyreParam given[] = { { "b", 7 }, { "a", G_MAXUINT32 } };
  guint n;
  GError *error = NULL;
  g_autoptr (VyreProgram) program
      = assemble ("param a = 2 * 3; PARAM b = 0x10; let c = b + 1; no_fence; op 1, a, b, c");
  const VyreParam *params = vyre_program_get_params (program, &n);

  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpstr (params[0].name, ==, "a");
  g_assert_cmpuint (params[0].value, ==, 6);
  g_assert_cmpuint (params[1].value, ==, 16);
  g_autoptr (VyreProgram) one = vyre_program_with_params (program, given, 1, &error);
  g_assert_no_error (error);
  g_autoptr (VyreProgram) both = vyre_program_with_params (one, given, 2, &error);
  g_assert_no_error (error);
  g_autoptr (VyreBoundProgram) before = bind_program (program, NULL, 0, 0);
  g_autoptr (VyreBoundProgram) after = bind_program (one, NULL, 0, 0);
  static const guint32 defaults[VYRE_SLOT_MAX_ARGS] = { 6, 16, 17 }, others[] = { 6, 7, 8 };
  assert_slot (before->slots, 1, 0, 2, defaults);
  g_assert_cmpmem (after->slots + VYRE_SLOT_ARGS, 12, others, 12);
  g_autofree char *id = g_strconcat (vyre_program_get_id (program), "?b=7,a=4294967295", NULL);
  g_assert_cmpstr (vyre_program_get_id (both), ==, id);
  g_assert_cmpuint (vyre_program_get_params (both, &n)[0].value, ==, G_MAXUINT32);
  g_autoptr (VyreProgram) again = vyre_program_with_params (both, NULL, 0, &error);
  g_assert_cmpstr (vyre_program_get_id (again), ==, vyre_program_get_id (program));
  g_assert_cmpuint (vyre_program_get_params (again, &n)[1].value, ==, 16);
}

/* A fraction is exact up to the word that it is for. */
static void
test_fractions (void)
{
  static const VyreParam given[] = { { "th", 1, 3 }, { "k", 41, 2 } };
  static const guint32 defaults[VYRE_SLOT_MAX_ARGS] = { 37, 103, 0, 85, 6 };
  static const guint32 others[VYRE_SLOT_MAX_ARGS] = { 89, 307, 0, 85, 61 };
  GError *error = NULL;
  guint n;
  g_autoptr (VyreProgram) program
      = assemble ("param th = 0.10; param k = 2; let level = 16 + th * 219; no_fence;"
                  "op 1, level, level * 4 - 48.6, th, 4294967295.999999999 / 50529027, k * 3");
  const VyreParam *params = vyre_program_get_params (program, &n);

  g_assert_cmpuint (params[0].value * 10, ==, params[0].divisor);
  g_autoptr (VyreBoundProgram) before = bind_program (program, NULL, 0, 0);
  assert_slot (before->slots, 1, 0, 2, defaults);
  g_autoptr (VyreProgram) other = vyre_program_with_params (program, given, 2, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_suffix (vyre_program_get_id (other), "?th=1/3,k=41/2"));
  g_autoptr (VyreBoundProgram) after = bind_program (other, NULL, 0, 0);
  assert_slot (after->slots, 1, 0, 2, others);
}

/* Rows of a frame, of its top field and of its bottom field, and the offset of the latter. */
static void
test_fields (void)
{
  static const guint32 rows[][4] = {
    { 0, 0, 0, 3 },
    { 1, 1, 0, 3 },
    { 2, 1, 1, 13 },
    { 7, 4, 3, 13 },
    { 65536, 32768, 32768, 13 },
  };
  g_autoptr (VyreProgram) program
      = assemble ("sample_stats top(luma) -> a; sample_stats bottom(luma) -> b; no_fence");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
    const VyreRegion region = { 3, 6, rows[i][0], 10 };
    vyre_symbols_set_component (symbols, "luma", &region, VYRE_SAMPLES (2, 2, 0, 0, 10));
    g_autoptr (VyreBoundProgram) bound = vyre_program_bind (program, symbols, 1000000, 0, 0, NULL);
    const guint32 top[] = { 3, 6, rows[i][1], 20 }, bottom[] = { rows[i][3], 6, rows[i][2], 20 };
    g_assert_cmpmem (bound->slots + VYRE_SLOT_ARGS, 16, top, 16);
    g_assert_cmpmem (bound->slots + VYRE_SLOT_WORDS + VYRE_SLOT_ARGS, 16, bottom, 16);
  }
}

static void
assert_params_fail (
    const char *text, VyreParam param, VyreError code, const char *at, const char *part)
{
  g_autoptr (VyreProgram) program = assemble (text);
  GError *error = NULL;

  g_assert_null (vyre_program_with_params (program, &param, 1, &error));
  assert_error (error, code, at, part);
}

/* Names that the program does not declare, and values that do not suit their place. */
static void
test_params_refused (void)
{
  static const char text[] = "param a = 1; param b = 2; u8_below payload, b -> c";

  assert_params_fail (text, (VyreParam){ "c", 1 }, VYRE_ERROR_INVALID, "", "set one of a, b.");
  assert_params_fail ("nop", (VyreParam){ "\xff", 1 }, VYRE_ERROR_INVALID, "", "add 'param NAME");
  assert_params_fail (text, (VyreParam){ "b", 1, 1000000001 }, VYRE_ERROR_INVALID, "",
      "'b' is 1 / 1000000001. Fix: set a number below 4294967296 with a divisor up to");
  assert_params_fail (text, (VyreParam){ "b", 8589934592, 2 }, VYRE_ERROR_INVALID, "",
      "'b' is 8589934592 / 2. Fix: ");
  assert_params_fail (
      text, (VyreParam){ "b", 257 }, VYRE_ERROR_SYNTAX, "1:45: ", "threshold is above 256");
}

static void
test_builtins (void)
{
  const char *const *names = vyre_program_list_builtins ();
  g_autoptr (VyreProgram) bytes = vyre_program_from_string ("builtin:bytes", NULL);
  g_autoptr (VyreProgram) nop = vyre_program_from_string ("builtin:nop", NULL);
  g_autoptr (VyreBoundProgram) bound = bind_program (bytes, NULL, 0, 0);
  g_autoptr (VyreBoundProgram) one = bind_program (nop, NULL, 0, 0);
  GError *error = NULL;

  g_assert_cmpuint (g_strv_length ((char **)names), ==, 9);
  g_assert_true (g_strv_contains (names, "frame-stats"));
  g_assert_cmpstr (vyre_program_get_id (bytes), ==, "builtin:bytes");
  g_assert_cmpuint (bound->n_results, ==, 2);
  assert_result (bound, 0, "histogram", VYRE_RESULT_HISTOGRAM, 1, 256);
  assert_result (bound, 1, "crc32", VYRE_RESULT_U32, 257, 1);
  g_assert_cmpuint (one->n_used, ==, 2);
  g_assert_cmpuint (one->slots[VYRE_SLOT_OPCODE], ==, VYRE_OP_NOP);

  g_assert_null (vyre_program_from_string ("builtin:?", &error));
  assert_error (error, VYRE_ERROR_INVALID, "",
      "'?'. Fix: use one of frame-stats, field-stats, rgb-stats, video-qc, audio-qc, compare, "
      "scope, bytes, nop.");
}

/* Messages are UTF-8, whatever bytes of a name they quote. */
static void
test_builtin_names (void)
{
  static const char *const names[] = { "\xA7", "\xC3",
    "x\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
    "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
    "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GError *error = NULL;

    g_assert_null (vyre_program_builtin (names[i], &error));
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    assert_error (error, VYRE_ERROR_INVALID, "", "There is no built-in program '");
  }
}

static void
test_id (void)
{
  g_autoptr (VyreProgram) a = vyre_program_from_string ("nop", NULL);
  g_autoptr (VyreProgram) b = assemble ("nop ");

  /* SHA-256 of the three bytes "nop" */
  g_assert_cmpstr (vyre_program_get_id (a), ==, "sha256:2b8fbda969a8aaa9");
  g_assert_cmpstr (vyre_program_get_id (a), !=, vyre_program_get_id (b));
}

static void
test_references (void)
{
  VyreProgram *program = assemble ("store_u32 1 -> name");
  VyreBoundProgram *bound = bind_program (program, NULL, 0, 0);

  g_assert_true (vyre_program_ref (program) == program);
  vyre_program_unref (program);
  vyre_program_unref (program);
  g_assert_true (vyre_bound_program_ref (bound) == bound);
  vyre_bound_program_unref (bound);
  g_assert_cmpstr (bound->results[0].name, ==, "name");
  vyre_bound_program_unref (bound);
  vyre_bound_program_unref (NULL);
  vyre_program_unref (NULL);
}

static void
test_bindings (void)
{
  g_autoptr (VyreProgram) program = assemble ("no_fence; op rate, channels, v.size, plane3.offset");
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  g_autoptr (VyreSymbols) copy = NULL;
  static const VyreRegion region = { 3, 10, 5, 16 };
  static const VyreRegion empty = { 3, 10, 0, 16 };

  vyre_symbols_set (symbols, "rate", 48000);
  vyre_symbols_set (symbols, "channels", 2);
  vyre_symbols_set (symbols, "plane3.offset", 9);
  vyre_symbols_set_region (symbols, "v", &region);
  copy = vyre_symbols_copy (symbols);
  vyre_symbols_set (symbols, "rate", 1);
  vyre_symbols_set_region (symbols, "v", &empty);
  g_assert_null (vyre_symbols_copy (NULL));
  {
    g_autoptr (VyreBoundProgram) changed = bind_program (program, symbols, 0, 0);
    g_autoptr (VyreBoundProgram) before = bind_program (program, copy, 0, 0);

    g_assert_cmpuint (changed->slots[VYRE_SLOT_OPCODE], ==, 1);
    g_assert_cmpuint (changed->slots[VYRE_SLOT_ARGS + 1], ==, 0);
    g_assert_cmpuint (before->slots[VYRE_SLOT_OPCODE], ==, 48000);
    g_assert_cmpuint (before->slots[VYRE_SLOT_ARGS], ==, 2);
    g_assert_cmpuint (before->slots[VYRE_SLOT_ARGS + 1], ==, 4 * 16 + 10);
    g_assert_cmpuint (before->slots[VYRE_SLOT_ARGS + 2], ==, 9);
  }
}

static void
assert_unbound (const VyreSymbols *symbols, const char *message)
{
  g_autoptr (VyreProgram) program = assemble ("nop\nu8_stats luma -> a");
  g_autoptr (GError) error = NULL;

  g_assert_null (vyre_program_bind (program, symbols, 100, 0, 0, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_UNBOUND);
  g_assert_true (g_str_has_prefix (error->message, message));
}

/* An error names the stream of the symbols; a copy of the symbols has a name of its own. */
static void
test_stream_is_named (void)
{
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  g_autoptr (VyreSymbols) copy = NULL;

  assert_unbound (NULL, "2:10: 'luma' is not defined for this stream. Fix: ");
  assert_unbound (symbols, "2:10: 'luma' is not defined for this stream. Fix: ");
  vyre_symbols_set_stream (symbols, "RGB video");
  copy = vyre_symbols_copy (symbols);
  vyre_symbols_set_stream (symbols, "Opus audio");
  assert_unbound (copy, "2:10: 'luma' is not defined for this stream of RGB video. Fix: ");
  assert_unbound (symbols, "2:10: 'luma' is not defined for this stream of Opus audio. Fix: ");
  vyre_symbols_set_stream (symbols, NULL);
  assert_unbound (symbols, "2:10: 'luma' is not defined for this stream. Fix: ");
}

static void
assert_refused (const char *symbol, gboolean as_region)
{
  static const VyreRegion region = { 0, 1, 1, 1 };
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();

  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*assertion*failed*");
  if (as_region)
    vyre_symbols_set_region (symbols, symbol, &region);
  else
    vyre_symbols_set (symbols, symbol, 1);
  g_test_assert_expected_messages ();
}

static void
test_unknown_bindings (void)
{
  assert_refused ("depth", FALSE);
  assert_refused ("luma", FALSE);
  assert_refused ("payload.size", FALSE);
  assert_refused ("plane4.offset", FALSE);
  assert_refused ("width", TRUE);
  assert_refused ("payload", TRUE);
  assert_refused ("plane0.offset", TRUE);
}

static void
test_opcode_names (void)
{
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_NOP), ==, "nop");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_STORE_U32), ==, "store_u32");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_ATOMIC_ADD), ==, "atomic_add");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_LOAD_U32), ==, "load_u32");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_COMPARE_SWAP), ==, "compare_swap");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_MEMCPY), ==, "memcpy");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_DFA_STEP), ==, "dfa_step");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_BATCH_FENCE), ==, "batch_fence");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_LOAD_MISS), ==, "load_miss");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_PRINTF), ==, "printf");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_PACKED_SLOT), ==, "packed_slot");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_SHUTDOWN), ==, "shutdown");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_U8_STATS), ==, "u8_stats");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_U8_HISTOGRAM), ==, "u8_histogram");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_U8_BELOW), ==, "u8_below");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_CRC32), ==, "crc32");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_ADLER32), ==, "adler32");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_CRC32C), ==, "crc32c");
  g_assert_cmpstr (vyre_opcode_name (VYRE_OP_AUDIO_STATS), ==, "audio_stats");
  g_assert_null (vyre_opcode_name (8));
  g_assert_null (vyre_opcode_name (0x400001ffu));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/program/slots", test_slots);
  g_test_add_func ("/program/paired", test_paired);
  g_test_add_func ("/program/attributes", test_attributes);
  g_test_add_func ("/program/fence", test_fence);
  g_test_add_func ("/program/results", test_results);
  g_test_add_func ("/program/state", test_state);
  g_test_add_func ("/program/optional", test_optional);
  g_test_add_func ("/program/optional-alone", test_optional_alone);
  g_test_add_func ("/program/layout", test_layout);
  g_test_add_func ("/program/unused-let", test_unused_let);
  g_test_add_func ("/program/payload-sizes", test_payload_sizes);
  g_test_add_func ("/program/builtins/frame-stats", test_frame_stats);
  g_test_add_func ("/program/builtins/frame-stats-gray", test_frame_stats_gray);
  g_test_add_func ("/program/components", test_components);
  g_test_add_func ("/program/channels", test_channels);
  g_test_add_func ("/program/two-components", test_two_components);
  g_test_add_func ("/program/params/values", test_params);
  g_test_add_func ("/program/params/refused", test_params_refused);
  g_test_add_func ("/program/fractions", test_fractions);
  g_test_add_func ("/program/fields", test_fields);
  g_test_add_func ("/program/builtins/others", test_builtins);
  g_test_add_func ("/program/builtins/names", test_builtin_names);
  g_test_add_func ("/program/id", test_id);
  g_test_add_func ("/program/references", test_references);
  g_test_add_func ("/program/bindings", test_bindings);
  g_test_add_func ("/program/stream-is-named", test_stream_is_named);
  g_test_add_func ("/program/unknown-bindings", test_unknown_bindings);
  g_test_add_func ("/program/opcode-names", test_opcode_names);
  return g_test_run ();
}
