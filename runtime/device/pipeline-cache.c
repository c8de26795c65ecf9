/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/pipeline-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vyre/machine.h"
#include "vyre/parts.h"
#include "files/open-file.h"
#include "files/size-guard.h"

#define MAGIC "VYRECACH"
#define VERSION 1u
#define DIGEST_SIZE 32

/* The start of a file; the blob follows, and nothing behind it. */
typedef struct {
  char magic[8];
  guint32 version; /* little-endian, like the size */
  guint32 size;    /* of the blob */
  guint8 key[DIGEST_SIZE];
  guint8 checksum[DIGEST_SIZE]; /* of the blob */
} Header;

G_STATIC_ASSERT (sizeof (Header) == 80);

/* VkPipelineCacheHeaderVersionOne, in words; Vulkan fixes its byte order. */
enum {
  BLOB_HEADER_SIZE,
  BLOB_HEADER_VERSION,
  BLOB_VENDOR,
  BLOB_DEVICE,
  BLOB_UUID,
  BLOB_HEADER_WORDS = BLOB_UUID + 4,
};

static void
cache_take_digest (GChecksum *sum, guint8 digest[DIGEST_SIZE])
{
  gsize size = DIGEST_SIZE;

  g_checksum_get_digest (sum, digest, &size);
  g_checksum_free (sum);
}

static void
cache_digest_key (const VyrePipelineKey *key, guint8 digest[DIGEST_SIZE])
{
  GChecksum *sum = g_checksum_new (G_CHECKSUM_SHA256);
  /* drivers of both word sizes may share a home and a version */
  const guint32 words[] = { key->vendor, key->device, key->driver, sizeof (gpointer) };

  g_checksum_update (sum, (const guchar *)words, sizeof words);
  g_checksum_update (sum, (const guchar *)key->device_uuid, -1);
  g_checksum_update (sum, key->cache_uuid, sizeof key->cache_uuid);
  g_checksum_update (sum, key->code, sizeof key->code);
  cache_take_digest (sum, digest);
}

static void
cache_digest_blob (const guint8 *blob, gsize size, guint8 digest[DIGEST_SIZE])
{
  GChecksum *sum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (sum, blob, (gssize)size);
  cache_take_digest (sum, digest);
}

/* Drivers have to refuse what is not theirs, but not all that do so survive it.
 * NULL when the blob is this key's, else why it is not. */
static const char *
cache_check_blob (const VyrePipelineKey *key, const guint8 *blob, gsize size)
{
  gsize header = 4 * BLOB_HEADER_WORDS;

  if (size < header)
    return "the blob has no header";
  if (size > VYRE_PIPELINE_CACHE_MAX)
    return "the blob is too large";
  if (vyre_read_word (blob, BLOB_HEADER_SIZE) != header
      || vyre_read_word (blob, BLOB_HEADER_VERSION) != 1)
    return "the blob's header is of an unknown version";
  if (vyre_read_word (blob, BLOB_VENDOR) != key->vendor
      || vyre_read_word (blob, BLOB_DEVICE) != key->device)
    return "the blob is of another device";
  if (memcmp (blob + 4 * BLOB_UUID, key->cache_uuid, sizeof key->cache_uuid) != 0)
    return "the blob is of another driver";
  return NULL;
}

/* The contents of a file that holds @blob. */
GBytes *
vyre_pipeline_cache_encode (const VyrePipelineKey *key, GBytes *blob)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (blob, &size);
  Header header = {
    .magic = MAGIC,
    .version = GUINT32_TO_LE (VERSION),
    .size = GUINT32_TO_LE ((guint32)size),
  };
  GByteArray *file = g_byte_array_sized_new ((guint)(sizeof header + size));

  cache_digest_key (key, header.key);
  cache_digest_blob (data, size, header.checksum);
  g_byte_array_append (file, (const guint8 *)&header, sizeof header);
  g_byte_array_append (file, data, (guint)size);
  return g_byte_array_free_to_bytes (file);
}

/* Takes the blob out of the contents of a file. NULL and @blob when the file is
 * whole and of this key, else why not. */
const char *
vyre_pipeline_cache_decode (const VyrePipelineKey *key, GBytes *file, GBytes **blob)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (file, &size);
  guint8 digest[DIGEST_SIZE];
  Header header;

  if (size < sizeof header)
    return "the file is shorter than its header";
  memcpy (&header, data, sizeof header);
  data += sizeof header;
  size -= sizeof header;
  if (memcmp (header.magic, MAGIC, sizeof header.magic) != 0)
    return "the magic is wrong";
  if (header.version != GUINT32_TO_LE (VERSION))
    return "the format is of another version";
  cache_digest_key (key, digest);
  if (memcmp (header.key, digest, sizeof digest) != 0)
    return "the key is another one";
  if (GUINT32_FROM_LE (header.size) != size)
    return "the size is wrong";
  cache_digest_blob (data, size, digest);
  if (memcmp (header.checksum, digest, sizeof digest) != 0)
    return "the checksum is wrong";
  const char *why = cache_check_blob (key, data, size);
  if (!why)
    *blob = g_bytes_new_from_bytes (file, sizeof header, size);
  return why;
}

char *
vyre_machine_get_cache_folder (void)
{
  return g_build_filename (g_get_user_cache_dir (), "gst-vyre", NULL);
}

/* Where the user's cache has the file of @key. */
char *
vyre_pipeline_cache_path (const VyrePipelineKey *key)
{
  guint8 digest[DIGEST_SIZE];
  GString *name = g_string_new ("kernel-");

  cache_digest_key (key, digest);
  for (guint i = 0; i < sizeof digest; i++)
    g_string_append_printf (name, "%02x", digest[i]);
  g_string_append (name, ".bin");
  g_autofree char *folder = vyre_machine_get_cache_folder ();
  char *path = g_build_filename (folder, name->str, NULL);
  g_string_free (name, TRUE);
  return path;
}

/* NULL, or why @fd is not a file to read. */
static const char *
cache_check_file (int fd, gsize *size)
{
  struct stat status;

  if (fstat (fd, &status) != 0)
    return g_strerror (errno);
  /* a driver trusts a blob; what others put there must not reach, say, root's */
  if (status.st_uid != geteuid ())
    return "it belongs to another user";
  if (status.st_size > (goffset)(sizeof (Header) + VYRE_PIPELINE_CACHE_MAX))
    return "the file is too large";
  *size = (gsize)status.st_size;
  return NULL;
}

/* The contents of a file, or NULL and @why. */
static GBytes *
cache_read_file (const char *path, const char **why)
{
  int fd = vyre_file_open (path, O_RDONLY);
  gsize size = 0, done = 0;
  gssize n = 1;

  *why = fd < 0 ? vyre_file_explain (errno) : cache_check_file (fd, &size);
  guint8 *data = *why ? NULL : g_try_malloc (MAX (size, 1));
  if (!*why && !data)
    *why = g_strerror (ENOMEM);
  while (data && done < size && n > 0) {
    n = TEMP_FAILURE_RETRY (read (fd, data + done, size - done));
    done += n > 0 ? (gsize)n : 0;
  }
  if (data && n < 0)
    *why = g_strerror (errno);
  if (fd >= 0)
    close (fd);
  if (!*why)
    return g_bytes_new_take (data, done);
  g_free (data);
  return NULL;
}

/* Returns: (transfer full) (nullable): the blob that was stored for @key, if its
 * file is there, whole and ours */
GBytes *
vyre_pipeline_cache_load (const char *path, const VyrePipelineKey *key)
{
  GBytes *blob = NULL;
  const char *why;
  g_autoptr (GBytes) file = cache_read_file (path, &why);

  if (file)
    why = vyre_pipeline_cache_decode (key, file, &blob);
  if (!blob)
    g_debug ("pipeline cache: %s is not used: %s", path, why);
  return blob;
}

/* Leaves @blob for later openings, unless it is what was @loaded. */
void
vyre_pipeline_cache_store (
    const char *path, const VyrePipelineKey *key, GBytes *blob, GBytes *loaded)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;
  gsize size;
  const guint8 *data = g_bytes_get_data (blob, &size);
  const char *why = cache_check_blob (key, data, size);

  if (!why && loaded && g_bytes_equal (blob, loaded))
    return;
  if (!why && g_mkdir_with_parents (directory, 0700) != 0)
    why = g_strerror (errno);
  if (!why) {
    g_autoptr (GBytes) file = vyre_pipeline_cache_encode (key, blob);
    VyreSizeGuard guard;
    data = g_bytes_get_data (file, &size);
    vyre_size_guard_begin (&guard);
    if (!g_file_set_contents_full (
            path, (const char *)data, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
      why = error->message;
    vyre_size_guard_end (&guard);
  }
  g_debug ("pipeline cache: %s: %s", path, why ? why : "written");
}
