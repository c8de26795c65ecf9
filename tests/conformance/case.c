/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance.h"

#include <string.h>

void
case_fail (Case *c, const char *format, ...)
{
  va_list args;

  if (c->outcome == OUTCOME_FAILED)
    return;
  c->outcome = OUTCOME_FAILED;
  va_start (args, format);
  c->message = g_strdup_vprintf (format, args);
  va_end (args);
}

/* Ours is not theirs because of a rule; what the rule asks for has been checked. */
void
case_differs (Case *c, guint rule)
{
  if (c->outcome == OUTCOME_FAILED)
    return;
  c->outcome = OUTCOME_DIFFERS;
  c->rule = rule;
}

/* Of something that libvyre does not have, as docs/abi.md says. */
void
case_leave_out (Case *c)
{
  c->outcome = OUTCOME_LEFT_OUT;
}

guint64
get_number (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL)
    g_error ("a case has no \"%s\"", member);
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_ascii_strtoull (json_node_get_string (node), NULL, 10);
  return (guint64)json_node_get_int (node);
}

guint32
get_word (JsonObject *object, const char *member)
{
  return (guint32)get_number (object, member);
}

gboolean
get_flag (JsonObject *object, const char *member)
{
  return json_object_get_boolean_member (object, member);
}

GArray *
get_words (JsonObject *object, const char *member)
{
  JsonArray *array = json_object_get_array_member (object, member);
  GArray *words = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    guint32 word = (guint32)json_array_get_int_element (array, i);
    g_array_append_val (words, word);
  }
  return words;
}

static GByteArray *
decode_hex (const char *hex)
{
  GByteArray *bytes = g_byte_array_new ();

  for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
    guint8 byte = (guint8)(g_ascii_xdigit_value (hex[0]) << 4 | g_ascii_xdigit_value (hex[1]));
    g_byte_array_append (bytes, &byte, 1);
  }
  return bytes;
}

/* {"len", "nonzero_words": [[word, value], …]} or {"len", "all_zero": true} */
static GByteArray *
decode_sparse (JsonObject *sparse)
{
  gsize size = get_number (sparse, "len");
  GByteArray *bytes = g_byte_array_sized_new ((guint)size);

  g_byte_array_set_size (bytes, (guint)size);
  memset (bytes->data, 0, size);
  if (!json_object_has_member (sparse, "nonzero_words"))
    return bytes;
  JsonArray *words = json_object_get_array_member (sparse, "nonzero_words");
  for (guint i = 0; i < json_array_get_length (words); i++) {
    JsonArray *pair = json_array_get_array_element (words, i);
    guint32 value = GUINT32_TO_LE ((guint32)json_array_get_int_element (pair, 1));
    memcpy (bytes->data + 4 * json_array_get_int_element (pair, 0), &value, 4);
  }
  return bytes;
}

GByteArray *
node_get_bytes (JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    return decode_sparse (json_node_get_object (node));
  return decode_hex (json_node_get_string (node));
}

GByteArray *
get_bytes (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL)
    g_error ("a case has no \"%s\"", member);
  return node_get_bytes (node);
}

void
check_number (Case *c, JsonObject *expected, const char *member, guint64 actual)
{
  guint64 wanted = get_number (expected, member);

  if (actual != wanted)
    case_fail (c, "%s is %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT, member, actual, wanted);
}

void
check_flag (Case *c, JsonObject *expected, const char *member, gboolean actual)
{
  if (!actual != !get_flag (expected, member))
    case_fail (c, "%s is %s", member, actual ? "true" : "false");
}

static gboolean
says_unchanged (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && g_strcmp0 (json_node_get_string (node), "unchanged") == 0;
}

/* BEFORE, nullable, is what "unchanged" refers to. */
void
check_bytes (Case *c, JsonObject *expected, const char *member, const void *actual, gsize size,
    const GByteArray *before)
{
  JsonNode *node = json_object_get_member (expected, member);
  g_autoptr (GByteArray) wanted = NULL;

  if (says_unchanged (node)) {
    wanted = g_byte_array_new ();
    g_byte_array_append (wanted, before->data, before->len);
  } else {
    wanted = node_get_bytes (node);
  }
  if (size != wanted->len) {
    case_fail (c, "%s has %" G_GSIZE_FORMAT " bytes, not %u", member, size, wanted->len);
    return;
  }
  for (gsize i = 0; i < size; i++) {
    guint8 byte = ((const guint8 *)actual)[i];
    if (byte != wanted->data[i]) {
      case_fail (
          c, "%s: byte %" G_GSIZE_FORMAT " is %02x, not %02x", member, i, byte, wanted->data[i]);
      return;
    }
  }
}

/* Every refusal is a GError of ours that says what to do. */
void
check_refused (Case *c, gboolean ok, const GError *error)
{
  if (ok || error == NULL)
    case_fail (c, "was accepted, and should not have been");
  else if (error->domain != VYRE_ERROR)
    case_fail (c, "error of another domain: %s", error->message);
  else if (strstr (error->message, "Fix: ") == NULL)
    case_fail (c, "error without a fix: %s", error->message);
}

/* The reference has two layers of errors: codec errors name what is wrong with a
 * buffer, and become errors of the runtime on their way out. */
static const char *
get_codec_class (int code)
{
  switch (code) {
    case VYRE_ERROR_TOO_LARGE:
      return "ByteLengthOverflow";
    case VYRE_ERROR_MISALIGNED:
      return "MisalignedByteLength";
    case VYRE_ERROR_MISSING_WORD:
      return "MissingWord";
    default:
      return "none";
  }
}

static const char *
get_runtime_class (int code)
{
  return code == VYRE_ERROR_QUEUE_FULL || code == VYRE_ERROR_TOO_LARGE ? "QueueFull" : "Backend";
}

/* EXPECTED has "ok", and when that is false "error" or "protocol_error" with a
 * class. Where the reference panics, any error of ours will do. */
void
check_result (Case *c, JsonObject *expected, gboolean ok, const GError *error)
{
  if (get_flag (expected, "ok")) {
    if (!ok)
      case_fail (c, "was refused: %s", error ? error->message : "without an error");
    return;
  }
  check_refused (c, ok, error);
  if (c->outcome == OUTCOME_FAILED)
    return;
  if (json_object_has_member (expected, "protocol_error")) {
    JsonObject *codec = json_object_get_object_member (expected, "protocol_error");
    const char *wanted = json_object_get_string_member (codec, "class");
    if (!g_str_equal (wanted, "panic") && !g_str_equal (wanted, get_codec_class (error->code)))
      case_fail (c, "the error is no %s: %s", wanted, error->message);
  }
  if (json_object_has_member (expected, "error")) {
    JsonObject *runtime = json_object_get_object_member (expected, "error");
    const char *wanted = json_object_get_string_member (runtime, "class");
    if (!g_str_equal (wanted, "panic") && !g_str_equal (wanted, get_runtime_class (error->code)))
      case_fail (c, "the error is no %s: %s", wanted, error->message);
  }
}
