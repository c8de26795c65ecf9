/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The sections about the machine, whatever devices it has.
 */
#pragma once

#include "info-report.h"

/* Bytes of the memory for payloads, as vyrefilter has it unless it is told otherwise. */
#define INFO_STAGING_SIZE (64 * 1024 * 1024)

void info_machine_add_versions (InfoReport *report);
char *info_machine_add_files (InfoReport *report);
void info_machine_add_cache (InfoReport *report);
