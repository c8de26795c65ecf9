/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Cases that run on the kernel.
 */
#pragma once

#include "conformance.h"

typedef struct _ExecCases ExecCases;

ExecCases *exec_load (const char *directory, GError **error);
void exec_free (ExecCases *cases);
guint exec_count (const ExecCases *cases);
const char *exec_family (const ExecCases *cases, guint index);
void exec_run (ExecCases *cases, guint index, Case *c);
