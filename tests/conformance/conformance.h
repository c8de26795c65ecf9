/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A conformance case: one operation on inputs whose results the reference
 * implementation left. It passes when ours are the same, differs by design when a
 * rule of docs/abi.md says that they are not and ours follow the rule, and fails
 * otherwise. The first failure of a case is the one reported.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "vyre/vyre.h"

typedef enum {
  OUTCOME_PASSED,
  OUTCOME_DIFFERS,
  OUTCOME_FAILED,
  OUTCOME_LEFT_OUT,
} Outcome;

typedef struct {
  const char *id;
  JsonObject *in;
  JsonObject *out;
  Outcome outcome;
  guint rule;    /* of OUTCOME_DIFFERS, as docs/abi.md numbers them */
  char *message; /* of OUTCOME_FAILED */
} Case;

/* Runs a case; one in which nothing was found wrong has passed. */
typedef void (*CaseFunc) (Case *c);

typedef struct {
  const char *name; /* "op" of a case; NULL ends the table */
  CaseFunc run;
} Operation;

extern const Operation part_operations[];
extern const Operation publish_operations[];
extern const Operation io_queue_operations[];
extern const Operation telemetry_operations[];
extern const Operation task_operations[];
extern const Operation tenant_operations[];
extern const Operation replay_operations[];

void case_fail (Case *c, const char *format, ...) G_GNUC_PRINTF (2, 3);
void case_differs (Case *c, guint rule);
void case_leave_out (Case *c);

/* Reading inputs. A number may be written as a decimal string. */
guint64 get_number (JsonObject *object, const char *member);
guint32 get_word (JsonObject *object, const char *member);
gboolean get_flag (JsonObject *object, const char *member);
GArray *get_words (JsonObject *object, const char *member);     /* of guint32 */
GByteArray *get_bytes (JsonObject *object, const char *member); /* hex, or its sparse forms */
GByteArray *node_get_bytes (JsonNode *node);

/* Checking results. EXPECTED holds MEMBER; what it says is what has to be. */
void check_number (Case *c, JsonObject *expected, const char *member, guint64 actual);
void check_flag (Case *c, JsonObject *expected, const char *member, gboolean actual);
void check_bytes (Case *c, JsonObject *expected, const char *member, const void *actual, gsize size,
    const GByteArray *before);
void check_result (Case *c, JsonObject *expected, gboolean ok, const GError *error);
void check_refused (Case *c, gboolean ok, const GError *error);
