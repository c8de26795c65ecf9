/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec.h"

#include "../unit/kernel-common.h"
#include "model.h"

struct _ExecCases {
  JsonParser *parser;
  JsonArray *array;
  GMappedFile *blob;
  VyreHandlers *handlers;
  TestKernel kernel;
};

typedef struct {
  const void *data[VYRE_N_PARTS];
  gsize size[VYRE_N_PARTS];
} Buffers;

static const char *const part_names[VYRE_N_PARTS] = { "control", "ring", "debug_log", "io_queue" };

/* Orders to try before giving up: all there are of seven slots. */
#define FEW_SLOTS 7
#define N_PERMUTATIONS 5040

/* The reference's handlers; the one for ATOMIC_ADD is refused. */
static VyreHandlers *
make_extensions (void)
{
  static const VyreInstruction three_times[] = {
    { VYRE_OPERATION_SET, .result = 12, .immediate = 3 },
    { VYRE_OPERATION_MULTIPLY, .result = 12, .a = 0, .b = 12 },
    { VYRE_OPERATION_ADD, .result = 12, .a = 12, .b = 2 },
    { VYRE_OPERATION_RUN, .result = 12, .a = 1, .immediate = VYRE_OP_STORE_U32 },
  };
  static const VyreInstruction add_xor[] = {
    { VYRE_OPERATION_XOR, .result = 12, .a = 0, .b = 2 },
    { VYRE_OPERATION_RUN, .result = 12, .a = 1, .immediate = VYRE_OP_ATOMIC_ADD },
  };
  static const VyreInstruction add_next[] = {
    { VYRE_OPERATION_SET, .result = 12, .immediate = 1 },
    { VYRE_OPERATION_ADD, .result = 12, .a = 1, .b = 12 },
    { VYRE_OPERATION_RUN, .result = 0, .a = 12, .immediate = VYRE_OP_ATOMIC_ADD },
  };
  VyreHandlers *handlers = vyre_handlers_new ();
  GError *error = NULL;

  vyre_handlers_register (handlers, 0x40000001, three_times, G_N_ELEMENTS (three_times), &error);
  g_assert_no_error (error);
  vyre_handlers_register (handlers, 9, add_xor, G_N_ELEMENTS (add_xor), &error);
  g_assert_no_error (error);
  vyre_handlers_register (handlers, VYRE_OP_ATOMIC_ADD, add_next, G_N_ELEMENTS (add_next), &error);
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_INVALID);
  g_clear_error (&error);
  return handlers;
}

void
exec_free (ExecCases *cases)
{
  g_clear_object (&cases->parser);
  g_clear_pointer (&cases->blob, g_mapped_file_unref);
  if (cases->kernel.kernel)
    test_kernel_close (&cases->kernel);
  g_clear_pointer (&cases->handlers, vyre_handlers_free);
  g_free (cases);
}

ExecCases *
exec_load (const char *directory, GError **error)
{
  g_autofree char *json = g_build_filename (directory, "exec", "exec.json", NULL);
  g_autofree char *bin = g_build_filename (directory, "exec", "exec.bin", NULL);
  ExecCases *cases = g_new0 (ExecCases, 1);
  VyreMegakernelParams params = test_params ();

  cases->parser = json_parser_new ();
  cases->blob = g_mapped_file_new (bin, FALSE, error);
  if (!cases->blob || !json_parser_load_from_file (cases->parser, json, error)) {
    exec_free (cases);
    return NULL;
  }
  cases->array = json_node_get_array (json_parser_get_root (cases->parser));
  cases->handlers = make_extensions ();
  test_kernel_open (&cases->kernel, &params);
  return cases;
}

guint
exec_count (const ExecCases *cases)
{
  return json_array_get_length (cases->array);
}

const char *
exec_family (const ExecCases *cases, guint index)
{
  return json_object_get_string_member (
      json_array_get_object_element (cases->array, index), "family");
}

static void
get_buffers (const ExecCases *cases, JsonObject *object, Buffers *buffers)
{
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    JsonArray *range = json_object_get_array_member (object, part_names[part]);
    gsize offset = (gsize)json_array_get_int_element (range, 0);
    buffers->data[part] = g_mapped_file_get_contents (cases->blob) + offset;
    buffers->size[part] = (gsize)json_array_get_int_element (range, 1);
  }
}

/* The first word that is another, as text; NULL when there is none. */
static char *
find_difference (const Buffers *wanted, const Buffers *found)
{
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    for (gsize word = 0; 4 * word < wanted->size[part]; word++) {
      guint32 a = vyre_read_word (wanted->data[part], word);
      guint32 b = vyre_read_word (found->data[part], word);
      if (a != b)
        return g_strdup_printf (
            "%s word %" G_GSIZE_FORMAT " is 0x%x, not 0x%x", part_names[part], word, b, a);
    }
  }
  return NULL;
}

static gboolean
is_same (const Buffers *a, const Buffers *b)
{
  g_autofree char *difference = find_difference (a, b);

  return difference == NULL;
}

/* Whether it is what the reference had, in one order or another. */
static gboolean
is_listed (const ExecCases *cases, const Case *c, JsonObject *object, const Buffers *found)
{
  JsonArray *alternates = json_object_get_array_member (object, "alternates");
  Buffers listed;

  get_buffers (cases, c->out, &listed);
  if (is_same (&listed, found))
    return TRUE;
  for (guint i = 0; i < json_array_get_length (alternates); i++) {
    get_buffers (cases, json_array_get_object_element (alternates, i), &listed);
    if (is_same (&listed, found))
      return TRUE;
  }
  return FALSE;
}

/* The next permutation, in an order that moves the last elements most. */
static gboolean
permute (guint *slots, guint n)
{
  guint i = n - 1, j = n - 1;

  while (i > 0 && slots[i - 1] >= slots[i])
    i--;
  if (i == 0)
    return FALSE;
  while (slots[j] <= slots[i - 1])
    j--;
  guint swapped = slots[i - 1];
  slots[i - 1] = slots[j];
  slots[j] = swapped;
  for (j = n - 1; i < j; i++, j--) {
    swapped = slots[i];
    slots[i] = slots[j];
    slots[j] = swapped;
  }
  return TRUE;
}

static void
shuffle (guint *slots, guint n, GRand *rand)
{
  for (guint i = n - 1; i > 0; i--) {
    guint other = (guint)g_rand_int_range (rand, 0, (gint)i + 1), slot = slots[i];
    slots[i] = slots[other];
    slots[other] = slot;
  }
}

/* PRINTF shows who came first: slots in the order of their records, then the rest. */
static void
sort_by_log (guint *slots, guint n, const Buffers *found)
{
  const void *log = found->data[VYRE_PART_DEBUG_LOG];
  guint n_sorted = 0;

  for (guint at = 1; at + VYRE_DEBUG_RECORD_WORDS <= VYRE_DEBUG_WORDS;
       at += VYRE_DEBUG_RECORD_WORDS) {
    guint slot = vyre_read_word (log, at + VYRE_DEBUG_RECORD_WORDS - 1) / VYRE_SLOT_WORDS;
    for (guint i = n_sorted; i < n; i++) {
      if (slots[i] == slot) {
        memmove (&slots[n_sorted + 1], &slots[n_sorted], (i - n_sorted) * sizeof *slots);
        slots[n_sorted++] = slot;
      }
    }
  }
}

/* What the rules make of a case in the orders that were tried. */
typedef struct {
  const VyreParts *parts;
  const Buffers *found;
  Buffers base;                 /* in the first order */
  guint8 *varies[VYRE_N_PARTS]; /* words that were other in another one */
  guint rules;
} Orders;

static void
orders_clear (Orders *orders)
{
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    g_free ((void *)orders->base.data[part]);
    g_free (orders->varies[part]);
  }
}

static void
note_order (Orders *orders, const Model *model)
{
  gboolean first = orders->base.data[0] == NULL;

  orders->rules |= model->rules;
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    gsize n = model->n_words[part];
    if (first) {
      orders->base.data[part] = g_memdup2 (model->words[part], 4 * n);
      orders->base.size[part] = 4 * n;
      orders->varies[part] = g_malloc0 (n);
    }
    for (gsize word = 0; word < n; word++)
      orders->varies[part][word]
          |= vyre_read_word (orders->base.data[part], word) != model->words[part][word];
  }
}

/* Whether the rules lead to what the kernel found when the slots run in this order. */
static gboolean
try_order (Orders *orders, const guint *slots, gboolean in_step, guint *rules)
{
  const ModelOrder order = { slots, in_step };
  const VyreParts *parts = orders->parts;
  Buffers modelled = { 0 };
  Model model;

  model_load (&model, parts->data, parts->size);
  model.handlers = parts->handlers != NULL;
  if (parts->schedule == VYRE_SCHEDULE_SLOTS)
    model_run_slots (&model, &order);
  else
    model_run_passes (&model, parts->max_passes, &order);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    modelled.data[part] = model.words[part];
    modelled.size[part] = 4 * model.n_words[part];
  }
  gboolean same = is_same (&modelled, orders->found);
  note_order (orders, &model);
  *rules = model.rules;
  model_clear (&model);
  return same;
}

static gboolean
try_orders (Orders *orders, guint *rules)
{
  guint n = (guint)(orders->parts->size[VYRE_PART_RING] / (4 * VYRE_SLOT_WORDS));
  g_autofree guint *slots = g_new (guint, n), *sorted = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (n);
  gboolean more = TRUE, same;

  for (guint i = 0; i < n; i++)
    slots[i] = i;
  sorted = g_memdup2 (slots, n * sizeof *slots);
  sort_by_log (sorted, n, orders->found);
  same = try_order (orders, slots, FALSE, rules) || try_order (orders, sorted, FALSE, rules);
  for (guint i = 0; !same && more && i < N_PERMUTATIONS; i++) {
    same = try_order (orders, slots, FALSE, rules) || try_order (orders, slots, TRUE, rules);
    if (n <= FEW_SLOTS)
      more = permute (slots, n);
    else
      shuffle (slots, n, rand);
  }
  return same;
}

/* Lanes may also take turns in the middle of an operation, which the model does not.
 * What is the same in every order has to be the same then, too. */
static gboolean
lies_between (const Orders *orders)
{
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    for (gsize word = 0; 4 * word < orders->base.size[part]; word++) {
      if (!orders->varies[part][word]
          && vyre_read_word (orders->base.data[part], word)
                 != vyre_read_word (orders->found->data[part], word))
        return FALSE;
    }
  }
  return TRUE;
}

/* It is not what the reference had: the rules have to lead there. Where the order of
 * the slots matters, another one than the reference was seen with needs no rule. */
static void
explain (Case *c, const VyreParts *parts, gboolean independent, const Buffers *found,
    const Buffers *wanted)
{
  Orders orders = { .parts = parts, .found = found };
  guint rules;
  gboolean same = try_orders (&orders, &rules);

  if (!same && !independent && lies_between (&orders)) {
    same = TRUE;
    rules = orders.rules;
  }
  if (same && rules) {
    case_differs (c, (guint)g_bit_nth_lsf (rules, -1));
  } else if (!same || independent) {
    g_autofree char *from_reference = find_difference (wanted, found);
    g_autofree char *from_rules = find_difference (&orders.base, found);
    case_fail (c, "%s; by the rules %s", from_reference,
        from_rules ? from_rules : "it should be the same");
  }
  orders_clear (&orders);
}

static void
set_program (const ExecCases *cases, VyreParts *parts, const char *program)
{
  if (g_str_equal (program, "sharded_once_custom"))
    parts->handlers = cases->handlers;
  if (!g_str_has_prefix (program, "priority_"))
    return;
  parts->schedule = VYRE_SCHEDULE_PRIORITY;
  parts->max_passes = g_str_equal (program, "priority_one_pass") ? 1 : VYRE_PRIORITY_LEVELS;
}

static gboolean
is_independent (JsonObject *object)
{
  return g_str_equal (json_object_get_string_member (object, "lane_order"), "independent");
}

void
exec_run (ExecCases *cases, guint index, Case *c)
{
  JsonObject *object = json_array_get_object_element (cases->array, index);
  TestKernel *kernel = &cases->kernel;
  VyreParts parts = { 0 };
  VyrePayload nothing = { 0 };
  GError *error = NULL;
  Buffers in, out, found;

  c->id = json_object_get_string_member (object, "id");
  c->in = json_object_get_object_member (object, "in");
  c->out = json_object_get_object_member (object, "out");
  get_buffers (cases, c->in, &in);
  get_buffers (cases, c->out, &out);
  memcpy (parts.data, in.data, sizeof parts.data);
  memcpy (parts.size, in.size, sizeof parts.size);
  set_program (cases, &parts, json_object_get_string_member (object, "program"));
  g_autoptr (VyrePlan) plan = vyre_plan_new_from_parts (
      &parts, 0, vyre_megakernel_get_workgroup (kernel->kernel), &error);
  if (!plan) {
    case_fail (c, "%s", error->message);
    g_error_free (error);
    return;
  }
  g_autoptr (VyreBatch) batch = test_run (kernel, plan, 0, &nothing);
  const VyreLayout *layout = vyre_plan_get_layout (plan);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    found.data[part] = vyre_batch_get_readback (batch) + layout->offset[part];
    found.size[part] = layout->size[part];
  }
  if (!is_listed (cases, c, object, &found))
    explain (c, &parts, is_independent (object), &found, &out);
}
