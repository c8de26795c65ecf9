/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The program language: from slots back to text.
 */
#include "program-common.h"

static const char canonical[]
    = "nop\n"
      "store_u32 7, 161\n"
      "load_u32 1, 4 @tenant=3\n"
      "compare_swap 161, 0, 0 @priority=critical\n"
      "load_miss 12\n"
      "load_miss 12, 1\n"
      "load_words 3, 4, 5 -> 6\n"
      "append 3, 160, 2\n"
      "sync 3\n"
      "printf 0\n"
      "printf 1, 0, 3\n"
      "shutdown @tenant=1 @priority=idle\n"
      "op 0x0, 1\n"
      "op 0x40300001, 0, 2\n"
      "op 0x40000103, 0, 10, 2, 11, 1\n"
      "op 0x40000102, 0, 10, 2, 11, 1, 257\n"
      "op 0x40000100, 0, 10, 2, 11, 1048570\n"
      "op 0x7, 1, 2, 3\n"
      "op 0x80000001\n"
      "u8_stats region(0, 1920, 1080, 1920) -> 1\n"
      "u8_histogram region(4, 1, 1, 0) -> 1048320\n"
      "u8_below region(0, 1920, 1080, 1920), 0 -> 0\n"
      "crc32 region(0, 100, 1, 7) -> 9\n"
      "adler32 region(4, 100, 3, 100) -> 10\n"
      "crc32c region(4, 100, 3, 100) -> 10\n"
      "sample_stats samples(1, 7, 2, 8, 0x140202) -> 11\n"
      "sample_below samples(0, 9, 1, 0, 0x20a04), 4294967295 -> 18\n"
      "u8_below previous(region(0, 9, 2, 9)), 7 -> 19\n"
      "sample_stats previous(samples(1, 7, 2, 8, 0x140202)) -> 20\n"
      "op 0x40000100, 0, 9, 1, 9, 805306369\n"
      "op 0x40000105, 1, 7, 2, 8, 536870913, 1311234\n"
      "audio_stats audio(4, 100, 0x8240008) -> 3\n"
      "audio_stats audio(0, 0, 0x4020004) -> 1048563\n"
      "audio_loud audio(4, 100, 0x8240008), 33 -> 3\n"
      "audio_loud audio(0, 0, 0x4020004), 0 -> 1048511\n"
      "op 0x40000109, 0, 0, 1, 0, 1048564, 67239940\n"
      "op 0x40000109, 1, 7, 2, 7, 1, 67239940\n"
      "op 0x40000109, 1, 7, 1, 8, 1, 67239940\n"
      "op 0x40000109, 1, 7, 1, 7, 1, 7\n"
      "op 0x40000109, 1, 7, 1, 7, 1, 67239940, 1\n"
      "sample_grid samples(1, 7, 2, 8, 0x140202), 16, 32 -> 1047040\n"
      "op 0x40000133, 1, 7, 2, 8, 1047041, 1311234, 16, 32\n"
      "op 0x40000133, 1, 7, 2, 8, 1, 1311234, 16, 33\n"
      "sample_hue samples(1, 7, 2, 8, 0x140202), samples(5, 6, 2, 9, 0x142a02) -> 1\n"
      "op 0x40000135, 1, 7, 2, 8, 1, 1311234, 7, 1, 7, 2, 8, 1311234\n"
      "sample_ssim samples(1, 7, 2, 8, 0x140202), samples(5, 6, 2, 9, 0x142a02) -> 1048573\n"
      "op 0x40000139, 1, 7, 2, 8, 1048574, 1311234, 0, 1, 7, 2, 8, 1311234\n"
      "sample_joint samples(1, 7, 2, 8, 0x140202), samples(5, 6, 2, 9, 0x142a02) -> 1047552\n"
      "op 0x4000013a, 1, 7, 2, 8, 1047553, 1311234, 0, 1, 7, 2, 8, 1311234\n"
      "sample_outliers samples(1, 7, 2, 8, 0x140202), 4 -> 1\n"
      "sample_repeats samples(1, 7, 2, 8, 0x140202), 4, 1 -> 1\n"
      "sample_range samples(1, 7, 5, 8, 0x100101), samples(50, 4, 3, 9, 0x100101), "
      "samples(70, 8, 3, 9, 0x100202) -> 1\n"
      "op 0x40000138, 1, 1, 5, 8, 1, 1048833, 50, 70, 1048833, 1048833, 9, 257\n"
      "sample_rows samples(1, 7, 2, 8, 0x140202), 24 -> 1048573\n"
      "sample_columns samples(1, 7, 2, 8, 0x100101), 0 -> 13\n"
      "op 0x40000132, 1, 7, 2, 8, 13, 1048833, 0, 1\n"
      "sample_difference samples(1, 7, 2, 8, 0x140202), "
      "samples(5, 6, 2, 9, 0x142a02), 6 -> 19\n"
      "sample_difference samples(1, 7, 2, 8, 0x100101), "
      "previous(samples(5, 7, 2, 9, 0x100101)), 6 -> 19\n"
      "sample_difference previous(samples(1, 7, 2, 8, 0x100101)), "
      "samples(5, 7, 2, 9, 0x100101), 6 -> 19\n"
      "op 0x40000130, 1, 7, 2, 8, 2147483649, 1048833, 0, 5, 7, 2, 9, 1048833\n"
      "sample_difference samples(0, 9, 1, 0, 0x100101), "
      "samples(9, 9, 1, 0, 0x100101), 0 -> 1048568\n"
      "op 0x40000130, 1, 7, 2, 8, 1, 1048833, 0, 5, 6, 2, 9, 1048833\n"
      "op 0x40000130, 1, 7, 2, 8, 1048569, 1048833, 0, 5, 7, 2, 9, 1048833\n"
      "op 0x40000105, 1, 7, 2, 8, 1, 1048833\n"
      "op 0x40000105, 1, 7, 2, 8, 1, 7\n"
      "op 0x40000105, 1, 7, 2, 8, 1, 1311234, 1\n"
      "op 0x40000106, 1, 7, 2, 8, 1, 1311234, 0, 1\n"
      "packed_slot { nop | store_u32 1, 2 | op 0x20 | op 0x1, 5 }\n"
      "batch_fence 0, 0\n"
      "batch_fence 57, 5\n";

/* Canonical text comes back as it is. */
static void
test_disassembly (void)
{
  g_autoptr (VyreBoundProgram) bound = bind_text (canonical);
  g_autofree char *again = vyre_disassemble (bound->slots, bound->n_slots);
  g_autoptr (VyreBoundProgram) bare = bind_text ("nop; no_fence");
  g_autofree char *unfenced = vyre_disassemble (bare->slots, 1);
  g_autofree char *nothing = vyre_disassemble (NULL, 0);

  g_assert_cmpstr (again, ==, canonical);
  g_assert_cmpstr (unfenced, ==, "no_fence\nnop\n");
  g_assert_cmpstr (nothing, ==, "no_fence\n");
}

static void
test_disassembly_comments (void)
{
  guint32 slots[7 * VYRE_SLOT_WORDS] = { 0 };
  g_autofree char *text = NULL;

  slots[1 * 16] = VYRE_STATUS_DONE;
  slots[1 * 16 + VYRE_SLOT_PRIORITY] = VYRE_PRIORITY_NORMAL;
  slots[2 * 16] = VYRE_STATUS_PUBLISHED;
  slots[2 * 16 + VYRE_SLOT_PRIORITY] = 9;
  slots[3 * 16] = VYRE_STATUS_PUBLISHED;
  slots[3 * 16 + VYRE_SLOT_PRIORITY] = VYRE_PRIORITY_NORMAL;
  slots[4 * 16] = 99;
  slots[4 * 16 + VYRE_SLOT_OPCODE] = VYRE_OP_SHUTDOWN;
  slots[4 * 16 + VYRE_SLOT_PRIORITY] = VYRE_PRIORITY_LOW;
  text = vyre_disassemble (slots, 7);
  g_assert_cmpstr (text, ==,
      "no_fence\n"
      "# slot 0: EMPTY\n"
      "# slot 1: DONE nop\n"
      "# slot 2: PUBLISHED nop @priority=9\n"
      "nop\n"
      "# slot 4: status 99 shutdown @priority=low\n");
}

/* A packed_slot that the assembler would not write keeps its words. */
static void
test_disassembly_packed (void)
{
  static const guint32 odd[][4] = {
    { 0 },                               /* no operation */
    { 1 | 1 << 8 | 7 << 16, 5 },         /* a fence */
    { 1 | 1 << 8 | 1u << 24, 5 },        /* the first offset is not 0 */
    { 1 | 1 << 8, 5, 6 },                /* a word behind the total */
    { 1 | 12 << 8, 5 },                  /* a total outside the slot */
    { 255, 1 },                          /* more than fit */
    { 2 | 3 << 8, 4 << 8, 1, 2 },        /* an offset behind the total */
    { 2 | 1 << 8, 1 << 16, 1 },          /* padding that is not zero */
    { 3 | 2 << 8, 2 << 8 | 1u << 24, 1 } /* offsets that fall */
  };

  for (guint i = 0; i < G_N_ELEMENTS (odd); i++) {
    guint32 slot[VYRE_SLOT_WORDS]
        = { VYRE_STATUS_PUBLISHED, VYRE_OP_PACKED_SLOT, 0, VYRE_PRIORITY_NORMAL };
    g_autofree char *text = NULL;

    memcpy (slot + VYRE_SLOT_ARGS, odd[i], sizeof odd[i]);
    text = vyre_disassemble (slot, 1);
    g_assert_true (g_str_has_prefix (text, "no_fence\nop 0x80000001"));
  }
}

static void
assert_round_trip (const guint32 *slots, guint n_slots)
{
  g_autofree char *text = vyre_disassemble (slots, n_slots);
  g_autofree char *again = NULL;
  g_autoptr (VyreBoundProgram) bound = NULL;
  g_autoptr (VyreProgram) program = NULL;
  GError *error = NULL;

  g_assert_true (g_str_has_suffix (text, "\n"));
  program = vyre_program_assemble (text, &error);
  g_assert_no_error (error);
  bound = vyre_program_bind (program, NULL, g_test_rand_int () & 0xFFFF, n_slots, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (bound->slots, bound->n_slots * 64, slots, n_slots * 64);
  again = vyre_disassemble (bound->slots, bound->n_slots);
  g_assert_cmpstr (again, ==, text);
}

static void
test_round_trip_builtins (void)
{
  static const char *const rgb[] = { "red", "green", "blue", "alpha" };
  g_autoptr (VyreSymbols) symbols = video_bindings ();

  for (guint i = 0; i < G_N_ELEMENTS (rgb); i++) {
    VyreRegion pixels = { i, 7677, 1080, 7680 };
    vyre_symbols_set_component (symbols, rgb[i], &pixels, VYRE_SAMPLES (4, 1, 0, 0, 8));
  }
  vyre_symbols_set (symbols, "channels", 2);
  vyre_symbols_set (symbols, "rate", 48000);
  for (guint c = 0; c < 2; c++)
    vyre_symbols_set_channel (
        symbols, c, 2 * c, 4000, VYRE_AUDIO (4u, 2u, 0u, VYRE_AUDIO_SIGNED, 16u));
  g_autoptr (VyreSymbols) paired = vyre_symbols_copy (symbols);
  vyre_symbols_set_paired (symbols, paired, 1000, 2000);
  for (const char *const *name = vyre_program_list_builtins (); *name != NULL; name++) {
    g_autoptr (VyreProgram) program = vyre_program_builtin (*name, NULL);
    g_autoptr (VyreBoundProgram) bound = bind_program (program, symbols, 24, 0);

    assert_round_trip (bound->slots, bound->n_slots);
  }
}

static guint32
random_word (void)
{
  static const guint32 edges[]
      = { 0, 0, 0, 1, 2, 160, 255, 256, 257, 1048319, 1048320, 1048575, 1048576, G_MAXUINT32 };
  guint choice = (guint)g_test_rand_int_range (0, 20);

  return choice < G_N_ELEMENTS (edges) ? edges[choice] : (guint32)g_test_rand_int ();
}

/* Metadata of a packed_slot, mostly close to valid. */
static void
random_packed (guint32 *args)
{
  guint8 *bytes = (guint8 *)args;
  guint n = (guint)g_test_rand_int_range (1, 6);
  guint words = (2 + 2 * n + 3) / 4;
  guint total = (guint)g_test_rand_int_range (0, (gint)(VYRE_SLOT_MAX_ARGS - words) + 1);
  guint offset = 0;

  memset (args, 0, 4 * words);
  memset (args + words + total, 0, 4 * (VYRE_SLOT_MAX_ARGS - words - total));
  bytes[0] = (guint8)n;
  bytes[1] = (guint8)total;
  for (guint i = 0; i < n; i++) {
    bytes[2 + 2 * i] = (guint8)g_test_rand_int_range (0, 10);
    bytes[3 + 2 * i] = (guint8)offset;
    offset = MIN (total, offset + (guint)g_test_rand_int_range (0, 4));
  }
  if (g_test_rand_int_range (0, 4) == 0)
    bytes[g_test_rand_int_range (0, 48)] = (guint8)g_test_rand_int ();
  for (guint i = 0; i < words; i++)
    args[i] = GUINT32_FROM_LE (args[i]);
}

static void
random_slot (guint32 *slot)
{
  static const guint32 opcodes[]
      = { 0, 1, 2, 3, 4, 5, 6, 7, 0xFFFD, 0xFFFE, 0x80000001u, 0x80000001u, 0x80000001u,
          0xFFFFFFFFu, 0x40000100u, 0x40000101u, 0x40000102u, 0x40000103u, 8, 0x40100000u };
  guint n_args = (guint)g_test_rand_int_range (0, VYRE_SLOT_MAX_ARGS + 1);

  slot[VYRE_SLOT_STATUS] = VYRE_STATUS_PUBLISHED;
  slot[VYRE_SLOT_OPCODE] = opcodes[g_test_rand_int_range (0, G_N_ELEMENTS (opcodes))];
  slot[VYRE_SLOT_TENANT] = g_test_rand_bit () ? 0 : random_word ();
  slot[VYRE_SLOT_PRIORITY] = (guint32)g_test_rand_int_range (0, VYRE_PRIORITY_LEVELS);
  for (guint i = 0; i < n_args; i++)
    slot[VYRE_SLOT_ARGS + i] = random_word ();
  if (slot[VYRE_SLOT_OPCODE] == VYRE_OP_PACKED_SLOT && g_test_rand_int_range (0, 8) > 0)
    random_packed (slot + VYRE_SLOT_ARGS);
}

static void
test_round_trip_random (void)
{
  for (guint i = 0; i < 2000; i++) {
    guint n_used = (guint)g_test_rand_int_range (1, 12);
    guint n_slots = n_used + (guint)g_test_rand_int_range (0, 3);
    g_autofree guint32 *slots = g_new0 (guint32, n_slots * VYRE_SLOT_WORDS);

    for (guint slot = 0; slot < n_used; slot++)
      random_slot (slots + slot * VYRE_SLOT_WORDS);
    assert_round_trip (slots, n_slots);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/program/disassembly/canonical", test_disassembly);
  g_test_add_func ("/program/disassembly/comments", test_disassembly_comments);
  g_test_add_func ("/program/disassembly/packed", test_disassembly_packed);
  g_test_add_func ("/program/round-trip/builtins", test_round_trip_builtins);
  g_test_add_func ("/program/round-trip/random", test_round_trip_random);
  return g_test_run ();
}
