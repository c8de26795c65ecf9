/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishing. Two rules of ours show here: LOAD_MISS can be published (6), and is
 * then published as NOP would be, so each case runs with NOP in its place, too; and
 * descriptors leave the ring alone when one of them is refused (11).
 */
#include "conformance.h"

#include <string.h>

#define SLOT_BYTES (4 * VYRE_SLOT_WORDS)

/* A case's input on its way to the library. */
typedef struct {
  JsonObject *in;
  gboolean stand_in; /* read LOAD_MISS as NOP */
  gboolean stood_in; /* and there was one */
  guint n_slots;     /* that publishing takes */
  GPtrArray *owned;
} Input;

typedef gboolean (*Publish) (Input *input, GByteArray *ring, GError **error);

static void *
own (Input *input, gsize n, gsize size)
{
  void *memory = g_malloc0_n (MAX (n, 1), size);

  g_ptr_array_add (input->owned, memory);
  return memory;
}

static guint32
read_opcode (Input *input, guint32 opcode)
{
  if (!input->stand_in || opcode != VYRE_OP_LOAD_MISS)
    return opcode;
  input->stood_in = TRUE;
  return VYRE_OP_NOP;
}

static VyreArgs
read_args (Input *input, JsonArray *array)
{
  guint n = json_array_get_length (array);
  guint32 *words = own (input, n, sizeof *words);

  for (guint i = 0; i < n; i++)
    words[i] = (guint32)json_array_get_int_element (array, i);
  return (VyreArgs){ words, n };
}

static VyreArgs *
read_payloads (Input *input, const char *member, guint *n)
{
  JsonArray *array = json_object_get_array_member (input->in, member);
  VyreArgs *payloads;

  *n = json_array_get_length (array);
  payloads = own (input, *n, sizeof *payloads);
  for (guint i = 0; i < *n; i++)
    payloads[i] = read_args (input, json_array_get_array_element (array, i));
  return payloads;
}

static VyreOp
read_op (Input *input, JsonObject *object, guint32 opcode)
{
  VyreArgs args = read_args (input, json_object_get_array_member (object, "args"));

  return (VyreOp){ opcode, args.args, args.n_args };
}

static VyreOp *
read_ops (Input *input, JsonObject *object, const char *member, gboolean packed, guint *n)
{
  JsonArray *array = json_object_get_array_member (object, member);
  VyreOp *ops;

  *n = json_array_get_length (array);
  ops = own (input, *n, sizeof *ops);
  for (guint i = 0; i < *n; i++) {
    JsonObject *op = json_array_get_object_element (array, i);
    guint32 opcode = get_word (op, "opcode");
    ops[i] = read_op (input, op, packed ? opcode : read_opcode (input, opcode));
  }
  return ops;
}

/* {"builtin": name, "wire": opcode} or {"custom": opcode} */
static guint32
read_typed_opcode (Input *input, JsonObject *object)
{
  JsonObject *opcode = json_object_get_object_member (object, "opcode");

  return read_opcode (
      input, get_word (opcode, json_object_has_member (opcode, "wire") ? "wire" : "custom"));
}

static VyreDescriptor
read_descriptor (Input *input, JsonObject *object)
{
  VyreDescriptor descriptor = { .tenant = get_word (object, "tenant_id") };

  if (g_str_equal (json_object_get_string_member (object, "kind"), "packed")) {
    descriptor.packed = TRUE;
    descriptor.ops = read_ops (input, object, "ops", TRUE, &descriptor.n_ops);
  } else {
    VyreOp *op = own (input, 1, sizeof *op);
    *op = read_op (input, object, read_typed_opcode (input, object));
    descriptor.ops = op;
    descriptor.n_ops = 1;
  }
  return descriptor;
}

static VyreWorkItem *
read_work_items (Input *input)
{
  JsonArray *array = json_object_get_array_member (input->in, "items");
  VyreWorkItem *items;

  input->n_slots = json_array_get_length (array);
  items = own (input, input->n_slots, sizeof *items);
  for (guint i = 0; i < input->n_slots; i++) {
    JsonObject *item = json_array_get_object_element (array, i);
    items[i] = (VyreWorkItem){ read_opcode (input, get_word (item, "op_handle")),
      get_word (item, "input_handle"), get_word (item, "output_handle"), get_word (item, "param") };
  }
  return items;
}

static gboolean
publish_slot (Input *input, GByteArray *ring, GError **error)
{
  VyreOp op = read_op (input, input->in, read_opcode (input, get_word (input->in, "opcode")));

  return vyre_publish_slot (ring->data, ring->len, get_word (input->in, "slot_idx"),
      get_word (input->in, "tenant_id"), &op, error);
}

static gboolean
publish_packed (Input *input, GByteArray *ring, GError **error)
{
  guint n;
  VyreOp *ops = read_ops (input, input->in, "ops", TRUE, &n);

  return vyre_publish_packed (ring->data, ring->len, get_word (input->in, "slot_idx"),
      get_word (input->in, "tenant_id"), ops, n, error);
}

static gboolean
publish_batch (Input *input, GByteArray *ring, GError **error)
{
  guint n;
  VyreOp *ops = read_ops (input, input->in, "items", FALSE, &n);

  input->n_slots = n + 1;
  return vyre_publish_batch (ring->data, ring->len, get_word (input->in, "start_slot"),
      get_word (input->in, "tenant_id"), ops, n, get_word (input->in, "batch_tag"), error);
}

static gboolean
publish_work_items (Input *input, GByteArray *ring, GError **error)
{
  VyreWorkItem *items = read_work_items (input);

  return vyre_publish_work_items (ring->data, ring->len, get_word (input->in, "start_slot"),
      get_word (input->in, "tenant_id"), items, input->n_slots, error);
}

static gboolean
encode_work_items (Input *input, GByteArray *ring, GError **error)
{
  VyreWorkItem *items = read_work_items (input);

  return vyre_encode_work_items (
      ring->data, ring->len, get_word (input->in, "tenant_id"), items, input->n_slots, error);
}

static gboolean
reencode_work_items (Input *input, GByteArray *ring, GError **error)
{
  VyreWorkItem *items = read_work_items (input);

  return vyre_reencode_work_items (
      ring->data, ring->len, get_word (input->in, "tenant_id"), items, input->n_slots, error);
}

static gboolean
publish_descriptors (Input *input, GByteArray *ring, GError **error)
{
  JsonArray *array = json_object_get_array_member (input->in, "items");
  guint n = json_array_get_length (array);
  VyreDescriptor *descriptors = own (input, n, sizeof *descriptors);

  for (guint i = 0; i < n; i++)
    descriptors[i] = read_descriptor (input, json_array_get_object_element (array, i));
  input->n_slots = n;
  return vyre_publish_descriptors (
      ring->data, ring->len, get_word (input->in, "start_slot"), descriptors, n, error);
}

static gboolean
publish_window (Input *input, GByteArray *ring, GError **error)
{
  VyreWindow window = { .tenant = get_word (input->in, "tenant_id"),
    .opcode = read_typed_opcode (input, input->in),
    .ticket = get_word (input->in, "ticket") };

  window.required = read_payloads (input, "required", &window.n_required);
  window.lookahead = read_payloads (input, "lookahead", &window.n_lookahead);
  input->n_slots = window.n_required + window.n_lookahead;
  return vyre_publish_window (
      ring->data, ring->len, get_word (input->in, "start_slot"), &window, error);
}

static GByteArray *
copy_bytes (const GByteArray *bytes)
{
  GByteArray *copy = g_byte_array_sized_new (bytes->len);

  g_byte_array_append (copy, bytes->data, bytes->len);
  return copy;
}

static gboolean
is_same (const GByteArray *a, const GByteArray *b)
{
  return a->len == b->len && (a->len == 0 || memcmp (a->data, b->data, a->len) == 0);
}

static gboolean
run_publish (Input *input, Publish publish, GByteArray *ring, GError **error)
{
  gboolean ok;

  input->owned = g_ptr_array_new_with_free_func (g_free);
  ok = publish (input, ring, error);
  g_clear_pointer (&input->owned, g_ptr_array_unref);
  return ok;
}

/* RING is what publishing with LOAD_MISS gave, STAND_IN what it gave with NOP. */
static void
check_load_miss (
    Case *c, gboolean ok, const GError *error, GByteArray *ring, const GByteArray *stand_in)
{
  if (!ok) {
    case_fail (c, "LOAD_MISS was refused: %s", error ? error->message : "without an error");
    return;
  }
  for (gsize word = VYRE_SLOT_OPCODE; 4 * word < ring->len; word += VYRE_SLOT_WORDS) {
    if (vyre_read_word (ring->data, word) == VYRE_OP_LOAD_MISS
        && vyre_read_word (stand_in->data, word) == VYRE_OP_NOP)
      vyre_write_word (ring->data, word, VYRE_OP_NOP);
  }
  if (!is_same (ring, stand_in))
    case_fail (c, "LOAD_MISS was not published as other opcodes are");
  case_differs (c, 6);
}

/* A refused call leaves the ring alone, also where the reference published a part. */
static void
check_untouched (Case *c, const char *member, const GByteArray *ring, const GByteArray *before)
{
  g_autoptr (GByteArray) wanted = NULL;

  if (!is_same (ring, before))
    case_fail (c, "the ring was written to, and nothing was published");
  if (!json_object_has_member (c->out, member)
      || g_str_equal (json_object_get_string_member_with_default (c->out, member, ""), "unchanged"))
    return;
  wanted = get_bytes (c->out, member);
  if (!is_same (wanted, before))
    case_differs (c, 11);
}

/* BEFORE is the ring; MEMBER of the output, when there is one, the ring afterwards. */
static void
check_publish (Case *c, Publish publish, const char *member, const GByteArray *before)
{
  g_autoptr (GByteArray) ring = copy_bytes (before);
  g_autoptr (GByteArray) with_nop = copy_bytes (before);
  g_autoptr (GError) error = NULL;
  Input input = { .in = c->in }, stand_in = { .in = c->in, .stand_in = TRUE };
  gboolean ok = run_publish (&input, publish, ring, &error);
  gboolean nop_ok = run_publish (&stand_in, publish, with_nop, NULL);

  if (!get_flag (c->out, "ok") && stand_in.stood_in && nop_ok) {
    check_load_miss (c, ok, error, ring, with_nop);
    return;
  }
  check_result (c, c->out, ok, error);
  if (c->outcome == OUTCOME_FAILED)
    return;
  if (!ok) {
    check_untouched (c, member, ring, before);
    return;
  }
  check_bytes (c, c->out, member, ring->data, ring->len, before);
  if (json_object_has_member (c->out, "slots_consumed"))
    check_number (c, c->out, "slots_consumed", input.n_slots);
  if (json_object_has_member (c->out, "published"))
    check_number (c, c->out, "published", input.n_slots);
}

static void
check_ring_publish (Case *c, Publish publish)
{
  g_autoptr (GByteArray) before = get_bytes (c->in, "ring");

  check_publish (c, publish, "ring", before);
}

/* A ring of the size that the case asks for, or one slot above all that can be encoded. */
static GByteArray *
make_ring (Case *c, guint8 fill)
{
  guint64 n_slots = MIN (get_number (c->in, "slot_count"), VYRE_ENCODE_MAX + 1);
  GByteArray *ring = g_byte_array_new ();

  g_byte_array_set_size (ring, (guint)(SLOT_BYTES * n_slots));
  if (ring->len > 0)
    memset (ring->data, fill, ring->len);
  return ring;
}

static void
run_publish_slot (Case *c)
{
  check_ring_publish (c, publish_slot);
}

static void
run_publish_packed (Case *c)
{
  check_ring_publish (c, publish_packed);
}

static void
run_publish_batch (Case *c)
{
  check_ring_publish (c, publish_batch);
}

static void
run_publish_work_items (Case *c)
{
  check_ring_publish (c, publish_work_items);
}

static void
run_publish_descriptors (Case *c)
{
  check_ring_publish (c, publish_descriptors);
}

static void
run_publish_window (Case *c)
{
  check_ring_publish (c, publish_window);
}

static void
run_encode_work_items (Case *c)
{
  g_autoptr (GByteArray) before = make_ring (c, 0xA5);

  check_publish (c, encode_work_items, "bytes", before);
}

/* Words of another size than the ring is to have are no ring: a new one is encoded. */
static void
run_reencode_work_items (Case *c)
{
  g_autoptr (GByteArray) existing = get_bytes (c->in, "existing_words_le");
  g_autoptr (GByteArray) fresh = make_ring (c, 0);

  check_publish (c, reencode_work_items, "bytes", existing->len == fresh->len ? existing : fresh);
}

/* What is refused in OUT has a text there, and is null otherwise. */
static void
check_verdict (Case *c, const char *member, gboolean ok, const GError *error)
{
  if (!json_object_get_null_member (c->out, member))
    check_refused (c, ok, error);
  else if (!ok)
    case_fail (c, "%s: %s", member, error ? error->message : "refused without an error");
}

static void
run_classify_opcode (Case *c)
{
  guint32 opcode = get_word (c->in, "opcode");
  g_autoptr (GError) user_error = NULL;
  g_autoptr (GError) publish_error = NULL;
  gboolean user = vyre_opcode_check_user (opcode, &user_error);
  gboolean publish = vyre_opcode_check_publish (opcode, &publish_error);

  check_flag (c, c->out, "is_system", vyre_opcode_is_system (opcode));
  check_flag (c, c->out, "is_builtin", vyre_opcode_is_builtin (opcode));
  check_verdict (c, "validate_user_opcode", user, user_error);
  if (opcode != VYRE_OP_LOAD_MISS) {
    check_verdict (c, "validate_publish_opcode", publish, publish_error);
    return;
  }
  if (!publish)
    case_fail (c, "LOAD_MISS was refused: %s", publish_error->message);
  case_differs (c, 6);
}

static void
run_encode_load_miss (Case *c)
{
  guint8 slot[SLOT_BYTES];

  vyre_encode_load_miss (slot, get_word (c->in, "resource_id"), get_flag (c->in, "prefetch"));
  check_bytes (c, c->out, "bytes", slot, sizeof slot, NULL);
}

static void
run_decode_load_miss (Case *c)
{
  g_autoptr (GByteArray) ring = get_bytes (c->in, "ring");
  gboolean prefetch;
  guint32 resource;
  gboolean found = vyre_decode_load_miss (
      ring->data, ring->len, get_word (c->in, "slot"), &resource, &prefetch);

  if (json_object_get_null_member (c->out, "value")) {
    if (found)
      case_fail (c, "resource %u was found, and should not have been", resource);
  } else if (!found) {
    case_fail (c, "no LOAD_MISS was found");
  } else {
    JsonObject *value = json_object_get_object_member (c->out, "value");
    check_number (c, value, "resource_id", resource);
    check_flag (c, value, "prefetch", prefetch);
  }
}

static void
run_host_ring (Case *c)
{
  g_autoptr (GByteArray) before = get_bytes (c->in, "ring");
  g_autoptr (GByteArray) ring = copy_bytes (before);
  g_autoptr (GByteArray) encoded = get_bytes (c->in, "encoded");
  gsize read_size = get_number (c->in, "read_buf_len");
  g_autofree guint8 *read = g_malloc0 (MAX (read_size, 1));
  guint32 slot = get_word (c->in, "slot_idx");
  JsonObject *publish = json_object_get_object_member (c->out, "publish");
  JsonObject *reading = json_object_get_object_member (c->out, "read");
  g_autoptr (GError) publish_error = NULL;
  g_autoptr (GError) read_error = NULL;
  gboolean published = vyre_host_ring_publish (
      ring->data, ring->len, slot, encoded->data, encoded->len, &publish_error);
  gboolean was_read
      = vyre_host_ring_read (ring->data, ring->len, slot, read, read_size, &read_error);

  check_result (c, publish, published, publish_error);
  check_result (c, reading, was_read, read_error);
  if (get_flag (reading, "ok"))
    check_bytes (c, reading, "bytes", read, read_size, NULL);
  check_bytes (c, c->out, "ring", ring->data, ring->len, before);
  check_number (c, c->out, "done_count", vyre_host_ring_count_done (ring->data, ring->len));
  if (!g_str_equal (json_object_get_string_member (c->out, "producer_name"), VYRE_HOST_RING_NAME))
    case_fail (c, "the producer is called " VYRE_HOST_RING_NAME);
}

const Operation publish_operations[] = {
  { "classify_opcode", run_classify_opcode },
  { "publish_slot", run_publish_slot },
  { "publish_packed_slot", run_publish_packed },
  { "batch_publish", run_publish_batch },
  { "publish_work_items", run_publish_work_items },
  { "encode_work_items_ring_into", run_encode_work_items },
  { "encode_work_items_ring_words_into", run_reencode_work_items },
  { "batch_descriptor_publish", run_publish_descriptors },
  { "window_descriptor_publish", run_publish_window },
  { "encode_load_miss", run_encode_load_miss },
  { "decode_load_miss", run_decode_load_miss },
  { "host_ring_publish_read", run_host_ring },
  { NULL },
};
