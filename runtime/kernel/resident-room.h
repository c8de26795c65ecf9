/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Room for resident files: slices of the stores within a budget, and what is evicted for them.
 * Called with the lock of VyreResidentFiles held, but for vyre_resident_reclaim(). Private to
 * libvyre.
 */
#pragma once

#include "device/store-private.h"
#include "io/transfer.h"
#include "program/file-name.h"
#include "vyre/megakernel.h"

G_BEGIN_DECLS

/* An entry of a table has 32 bits for the bytes of a file. */
#define VYRE_RESIDENT_LARGEST ((gsize)G_MAXINT32 & ~(gsize)4095)

typedef enum {
  VYRE_RESIDENCE_FAILED,
  VYRE_RESIDENCE_LOADING,
  VYRE_RESIDENCE_FULL, /* it waits until others are not pinned */
  VYRE_RESIDENCE_RESIDENT,
} VyreResidence;

typedef struct _VyreResidentFiles VyreResidentFiles;
typedef struct _VyreResidentFile VyreResidentFile;

/* A LOADING file belongs to the service thread, which opens files and moves bytes without the lock;
 * any thread pins or evicts a RESIDENT one. */
struct _VyreResidentFile {
  VyreFileName *name;
  VyreResidence state; /* FULL: it is not there, and no read is under way */
  gsize size;
  gsize staged;       /* in the staging store */
  gsize stored;       /* in the payload store of the device, if that is another */
  int fd;             /* while it is read */
  VyreFileRead *read; /* the same */
  GError *error;      /* of FAILED */
  guint64 failed;     /* when */
  guint64 used;       /* when a batch last had it */
  guint pins;         /* batches whose tables have it */
};

struct _VyreResidentFiles {
  VyreFileIo *file_io;
  VyreStore *staging;
  VyreStore *payloads; /* NULL: they are read where they are staged */
  gsize budget;
  VyreFileIoNotify notify;
  gpointer data;

  GMutex lock;
  GHashTable *residents; /* VyreFileName -> VyreResidentFile */
  guint64 now;           /* counts what happens */
  gsize used_bytes;
  gboolean crowded; /* a file waits for room until a pin is gone */
  VyreResourceCounters counters;
};

gsize vyre_resident_bytes_taken (gsize size);
void vyre_resident_free_slices (VyreResidentFiles *residents, VyreResidentFile *resident);
void vyre_resident_free (VyreResidentFiles *residents, VyreResidentFile *resident);
gboolean vyre_resident_make_room (VyreResidentFiles *residents, VyreResidentFile *resident);
gboolean vyre_resident_reclaim (gpointer data);

G_END_DECLS
