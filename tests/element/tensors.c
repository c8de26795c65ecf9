/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/analytics/analytics.h>
#include <string.h>

#include "metas.h"

#define WIDTH 64
#define HEIGHT 32
#define COLUMNS 4
#define ROWS 2
#define CELLS (COLUMNS * ROWS)
#define CELL_SIZE (WIDTH * HEIGHT / CELLS)
#define BINS 256

/* Arrays of all kinds, between results that are none. */
#define ARRAYS                                                                                     \
  "crc32 payload -> crc; u8_histogram payload -> bins; "                                           \
  "state list[3] : i32; store_u32 4294967295, &list + 2; u8_stats payload -> stats; "              \
  "state pair[4] : u64; store_u32 5, &pair; store_u32 7, &pair + 3; "                              \
  "state reals[2] : f32; store_u32 0x3F000000, &reals + 1; sample_grid luma, 4, 2 -> cells; "      \
  "state one[2] : u64"

/* The samples of a cell have its number. */
static GstBuffer *
cells_buffer (void)
{
  guint8 samples[WIDTH * HEIGHT];

  for (guint i = 0; i < sizeof samples; i++) {
    guint row = i / WIDTH * ROWS / HEIGHT, column = i % WIDTH * COLUMNS / WIDTH;
    samples[i] = (guint8)(row * COLUMNS + column);
  }
  return buffer_of (samples, sizeof samples);
}

/* The metas with tensors that @buffer has; the last of them. */
static GstTensorMeta *
last_meta (GstBuffer *buffer, guint *n)
{
  GstMeta *meta, *last = NULL;
  gpointer state = NULL;

  for (*n = 0; (meta = gst_buffer_iterate_meta_filtered (buffer, &state, GST_TENSOR_META_API_TYPE));
       ++*n)
    last = meta;
  return (GstTensorMeta *)last;
}

/* The tensor @id has one dimension, or two where @columns is not 0, and these bytes. */
static void
check_tensor (GstTensorMeta *meta, const gchar *id, GstTensorDataType data_type, gsize rows,
    gsize columns, gconstpointer bytes, gsize size)
{
  gint index = gst_tensor_meta_get_index_from_id (meta, g_quark_from_string (id));

  fail_unless (index >= 0, "there is no tensor %s", id);
  const GstTensor *tensor = gst_tensor_meta_get (meta, (gsize)index);
  fail_unless_equals_int (tensor->data_type, data_type);
  fail_unless_equals_int (tensor->layout, GST_TENSOR_LAYOUT_CONTIGUOUS);
  fail_unless_equals_int (tensor->dims_order, GST_TENSOR_DIM_ORDER_ROW_MAJOR);
  fail_unless_equals_int ((gint)tensor->num_dims, columns ? 2 : 1);
  fail_unless_equals_int ((gint)tensor->dims[0], (gint)rows);
  if (columns)
    fail_unless_equals_int ((gint)tensor->dims[1], (gint)columns);
  fail_unless_equals_int ((gint)gst_buffer_get_size (tensor->data), (gint)size);
  fail_unless (gst_buffer_memcmp (tensor->data, 0, bytes, size) == 0, "%s has other bytes", id);
}

static void
check_arrays (GstTensorMeta *meta)
{
  guint32 bins[BINS] = { 0 };
  gint32 list[] = { 0, 0, -1 };
  guint64 pair[] = { 5, G_GUINT64_CONSTANT (7) << 32 };
  gfloat reals[] = { 0, 0.5 };
  guint64 cells[CELLS][2];

  for (guint i = 0; i < CELLS; i++) {
    bins[i] = CELL_SIZE;
    cells[i][0] = CELL_SIZE;
    cells[i][1] = (guint64)CELL_SIZE * i;
  }
  fail_unless_equals_int ((gint)meta->num_tensors, 5);
  check_tensor (meta, "vyre-bins", GST_TENSOR_DATA_TYPE_UINT32, BINS, 0, bins, sizeof bins);
  check_tensor (meta, "vyre-list", GST_TENSOR_DATA_TYPE_INT32, 3, 0, list, sizeof list);
  check_tensor (meta, "vyre-pair", GST_TENSOR_DATA_TYPE_UINT64, 2, 0, pair, sizeof pair);
  check_tensor (meta, "vyre-reals", GST_TENSOR_DATA_TYPE_FLOAT32, 2, 0, reals, sizeof reals);
  check_tensor (meta, "vyre-cells", GST_TENSOR_DATA_TYPE_UINT64, CELLS, 2, cells, sizeof cells);
}

/* The buffer that comes out for one with arrays, behind an element with a tensor or not. */
static GstBuffer *
pass (const gchar *program, gboolean wanted, gboolean has_other)
{
  GstHarness *h = filter_new_with (program, "output-mode", 1, "tensor-meta", wanted, NULL);
  GstBuffer *buffer = cells_buffer ();
  gsize dims[] = { 4 };

  filter_start (h, GRAY);
  if (has_other) {
    GstTensor **list = g_new (GstTensor *, 1);
    *list = gst_tensor_new_simple (g_quark_from_static_string ("other"), GST_TENSOR_DATA_TYPE_UINT8,
        gst_buffer_new_memdup ("abcd", 4), GST_TENSOR_DIM_ORDER_ROW_MAJOR, 1, dims);
    gst_tensor_meta_set (gst_buffer_add_tensor_meta (buffer), 1, list);
  }
  filter_push (h, buffer);
  GstBuffer *passed = filter_pull (h);
  filter_finish (h);
  return passed;
}

GST_START_TEST (arrays_are_tensors)
{
  g_autoptr (GstBuffer) passed = pass (ARRAYS, TRUE, FALSE);
  guint n;
  GstTensorMeta *meta = last_meta (passed, &n);

  fail_unless_equals_int ((gint)n, 1);
  check_arrays (meta);
}
GST_END_TEST;

GST_START_TEST (tensors_of_others_stay)
{
  g_autoptr (GstBuffer) passed = pass (ARRAYS, TRUE, TRUE);
  guint n;
  GstTensorMeta *meta = last_meta (passed, &n);

  fail_unless_equals_int ((gint)n, 2);
  check_arrays (meta);
  meta = gst_buffer_get_tensor_meta (passed);
  fail_unless_equals_int ((gint)meta->num_tensors, 1);
  check_tensor (meta, "other", GST_TENSOR_DATA_TYPE_UINT8, 4, 0, "abcd", 4);
}
GST_END_TEST;

GST_START_TEST (there_are_no_tensors_unasked_or_without_arrays)
{
  g_autoptr (GstBuffer) unasked = pass (ARRAYS, FALSE, FALSE);
  g_autoptr (GstBuffer) without = pass ("crc32 payload -> crc", TRUE, FALSE);
  guint n;

  fail_unless (last_meta (unasked, &n) == NULL && last_meta (without, &n) == NULL);
}
GST_END_TEST;

void
tensors_add_tests (TCase *tests)
{
  tcase_add_test (tests, arrays_are_tensors);
  tcase_add_test (tests, tensors_of_others_stay);
  tcase_add_test (tests, there_are_no_tensors_unasked_or_without_arrays);
}
