/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance.h"

#include <glib/gstdio.h>
#include <string.h>

/* A path of its own for a case; nothing is there yet. */
static char *
make_path (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("vyre-XXXXXX", &error);

  if (directory == NULL)
    g_error ("%s", error->message);
  return g_build_filename (directory, "log", NULL);
}

static void
remove_path (char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);

  g_unlink (path);
  g_rmdir (directory);
  g_free (path);
}

/* The reference's errors of a log. */
static void
check_log_error (Case *c, JsonObject *expected, gboolean ok, const GError *error)
{
  const char *wanted
      = json_object_get_string_member (json_object_get_object_member (expected, "error"), "class");
  int code = -1;

  check_refused (c, ok, error);
  if (c->outcome == OUTCOME_FAILED)
    return;
  if (g_str_has_prefix (wanted, "Io"))
    code = VYRE_ERROR_IO;
  else if (g_str_equal (wanted, "HeaderMismatch"))
    code = VYRE_ERROR_INVALID;
  else if (g_str_equal (wanted, "ZeroCapacity"))
    code = VYRE_ERROR_NO_SPACE;
  else if (g_str_equal (wanted, "CapacityOverflow"))
    code = VYRE_ERROR_TOO_LARGE;
  if (error->code != code)
    case_fail (c, "the error is no %s: %s", wanted, error->message);
}

static void
get_record (JsonObject *object, VyreReplayRecord *record)
{
  g_autoptr (GArray) args = get_words (object, "args");

  *record = (VyreReplayRecord){
    .time = get_number (object, "timestamp_ns"),
    .slot = get_word (object, "slot_idx"),
    .tenant = get_word (object, "tenant_id"),
    .opcode = get_word (object, "opcode"),
    .epoch = get_word (object, "epoch"),
  };
  memcpy (record->args, args->data, sizeof record->args);
}

static void
check_records (Case *c, JsonArray *expected, const GArray *records)
{
  if (records->len != json_array_get_length (expected)) {
    case_fail (c, "%u records were read, not %u", records->len, json_array_get_length (expected));
    return;
  }
  for (guint i = 0; i < records->len; i++) {
    const VyreReplayRecord *record = &g_array_index (records, VyreReplayRecord, i);
    VyreReplayRecord wanted;
    get_record (json_array_get_object_element (expected, i), &wanted);
    if (record->time != wanted.time || record->slot != wanted.slot
        || record->tenant != wanted.tenant || record->opcode != wanted.opcode
        || memcmp (record->args, wanted.args, sizeof wanted.args) != 0
        || record->epoch != wanted.epoch)
      case_fail (c, "record %u is another", i);
  }
}

static void
check_header (Case *c, JsonObject *expected, const VyreReplayLog *log)
{
  check_number (c, expected, "capacity", vyre_replay_log_get_capacity (log));
  check_number (c, expected, "cursor", vyre_replay_log_get_cursor (log));
}

static void
append_all (Case *c, VyreReplayLog *log)
{
  JsonArray *appended = json_object_get_array_member (c->in, "appended");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < json_array_get_length (appended); i++) {
    VyreReplayRecord record;
    get_record (json_array_get_object_element (appended, i), &record);
    if (!vyre_replay_log_append (log, &record, &error)) {
      case_fail (c, "append failed: %s", error->message);
      return;
    }
  }
  check_number (c, c->out, "cursor", vyre_replay_log_get_cursor (log));
}

static void
check_file (Case *c, const char *path)
{
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (!g_file_get_contents (path, &contents, &size, &error))
    case_fail (c, "%s", error->message);
  else
    check_bytes (c, c->out, "file", contents, size, NULL);
}

static void
check_reopened (Case *c, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreReplayLog) log = vyre_replay_log_open (path, TRUE, &error);
  g_autoptr (GArray) records = log != NULL ? vyre_replay_log_read (log, &error) : NULL;

  if (records == NULL) {
    case_fail (c, "was not read again: %s", error->message);
    return;
  }
  check_header (c, json_object_get_object_member (c->out, "reopen_with_capacity_99"), log);
  check_records (c, json_object_get_array_member (c->out, "replayed"), records);
}

static void
run_append (Case *c)
{
  char *path = make_path ();
  g_autoptr (GError) error = NULL;
  VyreReplayLog *log = vyre_replay_log_create (path, get_number (c->in, "capacity"), &error);

  if (log != NULL) {
    append_all (c, log);
    vyre_replay_log_free (log);
    check_file (c, path);
    check_reopened (c, path);
  } else {
    case_fail (c, "was not created: %s", error->message);
  }
  remove_path (path);
}

static void
run_create (Case *c)
{
  char *path = make_path ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VyreReplayLog) log
      = vyre_replay_log_create (path, get_number (c->in, "capacity"), &error);

  if (!get_flag (c->out, "ok"))
    check_log_error (c, c->out, log != NULL, error);
  else if (log == NULL)
    case_fail (c, "was refused: %s", error->message);
  remove_path (path);
}

static void
check_read (Case *c, JsonObject *expected, VyreReplayLog *log)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) records = vyre_replay_log_read (log, &error);

  if (!get_flag (expected, "ok"))
    check_log_error (c, expected, records != NULL, error);
  else if (records == NULL)
    case_fail (c, "was not read: %s", error->message);
  else if (json_object_has_member (expected, "records"))
    check_records (c, json_object_get_array_member (expected, "records"), records);
}

static void
run_open (Case *c)
{
  char *path = make_path ();
  g_autoptr (GByteArray) file = get_bytes (c->in, "file");
  g_autoptr (GError) error = NULL;
  JsonObject *expected = json_object_get_object_member (c->out, "open");

  if (!g_file_set_contents (path, (const char *)file->data, file->len, &error))
    g_error ("%s", error->message);
  g_autoptr (VyreReplayLog) log = vyre_replay_log_open (path, TRUE, &error);
  if (!get_flag (expected, "ok")) {
    check_log_error (c, expected, log != NULL, error);
  } else if (log == NULL) {
    case_fail (c, "was not opened: %s", error->message);
  } else {
    check_header (c, expected, log);
    check_read (c, json_object_get_object_member (c->out, "replay"), log);
  }
  remove_path (path);
}

const Operation replay_operations[] = {
  { "replay_log_append", run_append },
  { "replay_log_create", run_create },
  { "replay_log_open_existing", run_open },
  { NULL },
};
