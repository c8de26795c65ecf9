/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a driver compiled, kept on disk: one file per device, driver and kernel.
 * Nothing here fails. A file that is not exactly what this key wrote counts as
 * absent, and one that cannot be written is done without; g_debug() says why.
 * Free-threaded, and safe among processes: files are replaced as a whole, so the
 * last writer wins and a reader sees one of them. No Vulkan calls.
 */
#pragma once

#include <glib.h>

#define VYRE_PIPELINE_CACHE_MAX ((gsize)64 << 20) /* bytes of a blob */

/* Everything that decides whether a blob fits. */
typedef struct {
  guint32 vendor;
  guint32 device;
  guint32 driver;        /* its version */
  char device_uuid[37];  /* as text */
  guint8 cache_uuid[16]; /* of what the driver's compiler makes */
  guint8 code[32];       /* SHA-256 of the SPIR-V and its specialization constants */
} VyrePipelineKey;

char *vyre_pipeline_cache_path (const VyrePipelineKey *key);
GBytes *vyre_pipeline_cache_load (const char *path, const VyrePipelineKey *key);
void vyre_pipeline_cache_store (
    const char *path, const VyrePipelineKey *key, GBytes *blob, GBytes *loaded);

GBytes *vyre_pipeline_cache_encode (const VyrePipelineKey *key, GBytes *blob);
const char *vyre_pipeline_cache_decode (const VyrePipelineKey *key, GBytes *file, GBytes **blob);
