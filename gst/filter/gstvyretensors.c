/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyretensors.h"

#include <gst/analytics/analytics.h>

#include "abi.h"

/* Numbers of a cell: its count and its sum */
#define CELL_NUMBERS 2

/* Results that are arrays: the words of an item, and the type of its number. A number of a type
 * that has scalars is an array only if it has several items. */
typedef struct {
  guint n_words; /* 0: such a result is a structure, and no array */
  GstTensorDataType data_type;
  gboolean has_scalars;
} Item;

static const Item items[] = {
  [GST_VYRE_RESULT_U32] = { 1, GST_TENSOR_DATA_TYPE_UINT32, TRUE },
  [GST_VYRE_RESULT_U64] = { 2, GST_TENSOR_DATA_TYPE_UINT64, TRUE },
  [GST_VYRE_RESULT_I32] = { 1, GST_TENSOR_DATA_TYPE_INT32, TRUE },
  [GST_VYRE_RESULT_I64] = { 2, GST_TENSOR_DATA_TYPE_INT64, TRUE },
  [GST_VYRE_RESULT_F32] = { 1, GST_TENSOR_DATA_TYPE_FLOAT32, TRUE },
  [GST_VYRE_RESULT_F64] = { 2, GST_TENSOR_DATA_TYPE_FLOAT64, TRUE },
  [GST_VYRE_RESULT_HISTOGRAM] = { 1, GST_TENSOR_DATA_TYPE_UINT32 },
  [GST_VYRE_RESULT_WORDS] = { 1, GST_TENSOR_DATA_TYPE_UINT32 },
  [GST_VYRE_RESULT_GRID] = { VYRE_GRID_CELL_WORDS, GST_TENSOR_DATA_TYPE_UINT64 },
};

/* READY to PAUSED. Takes the property over for the stream. */
gboolean
gst_vyre_tensors_start (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  self->tensors = self->tensor_meta;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* Returns the cells as numbers of one type: of each the count, then the sum. */
static GstBuffer *
tensors_copy_cells (const guint32 *words, gsize n)
{
  guint64 *numbers = g_new (guint64, CELL_NUMBERS * n);

  for (gsize i = 0; i < n; i++) {
    const guint32 *cell = words + i * VYRE_GRID_CELL_WORDS;
    const guint32 *sum = cell + VYRE_GRID_CELL_SUM;
    numbers[CELL_NUMBERS * i] = cell[VYRE_GRID_CELL_COUNT];
    numbers[CELL_NUMBERS * i + 1] = sum[0] | (guint64)sum[1] << 32;
  }
  return gst_buffer_new_wrapped (numbers, CELL_NUMBERS * n * sizeof *numbers);
}

/* Returns the tensor of an array, NULL of any other result. */
static GstTensor *
tensors_new (const GstVyreEntry *entry, const guint32 *words)
{
  const Item *item = entry->type < G_N_ELEMENTS (items) ? &items[entry->type] : NULL;
  gboolean is_grid = entry->type == GST_VYRE_RESULT_GRID;

  if (!item || item->n_words == 0 || (item->has_scalars && entry->n_words == item->n_words))
    return NULL;
  gsize dims[] = { entry->n_words / item->n_words, CELL_NUMBERS };
  g_autofree gchar *id = g_strdup_printf ("vyre-%s", entry->name);
  GstBuffer *data = is_grid ? tensors_copy_cells (words, dims[0])
                            : gst_buffer_new_memdup (words, entry->n_words * sizeof (guint32));
  return gst_tensor_new_simple (g_quark_from_string (id), item->data_type, data,
      GST_TENSOR_DIM_ORDER_ROW_MAJOR, is_grid ? 2 : 1, dims);
}

/* The worker, no lock. Gives the writable buffer of the last batch, whose results are described, a
 * meta of its own with the arrays; tensors of other elements stay. */
void
gst_vyre_tensors_attach (const GstVyreFilter *self, GstBuffer *buffer)
{
  if (!self->tensors)
    return;
  GPtrArray *tensors = g_ptr_array_new ();
  const guint32 *words = (const guint32 *)self->last.words->data;
  for (guint i = 0; i < gst_vyre_table_get_n_entries (self->last.table); i++) {
    const GstVyreEntry *entry = gst_vyre_table_get_entry (self->last.table, i);
    GstTensor *tensor = tensors_new (entry, words);
    if (tensor)
      g_ptr_array_add (tensors, tensor);
    words += entry->n_words;
  }
  guint n = tensors->len;
  gpointer *list = g_ptr_array_free (tensors, n == 0);
  if (n == 0)
    return;
  /* gst_buffer_add_tensor_meta() of GStreamer 1.26 would give one that is there, to be emptied */
  GstMeta *meta = gst_buffer_add_meta (buffer, gst_tensor_meta_get_info (), NULL);
  gst_tensor_meta_set ((GstTensorMeta *)meta, n, (GstTensor **)list);
}
