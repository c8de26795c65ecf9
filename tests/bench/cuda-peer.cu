/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CUDA peer of vyre-bench: what a careful CUDA program does for the same
 * work. Prints lines of "key value", times in microseconds, rates in GB/s.
 *
 *   vyre-cuda-peer [rtt|copy|all] [MILLISECONDS]
 *
 * rtt: 4 KiB copied in, one small kernel over them, its results copied back, and
 * a wait, as separate calls and as one graph, over bytes that change every time;
 * also a kernel that does nothing. copy: pinned host memory to device memory on
 * two streams. Exit status: 0 right, 1 wrong or failed, 77 no device.
 *
 * It compiles by itself: nvcc -O2 -o vyre-cuda-peer cuda-peer.cu
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <cuda_runtime.h>

#define SIZE 4096
#define THREADS 256
#define WARM_UP 50
#define MOST_SAMPLES 100000
#define STREAMS 2
#define COPY_BYTES ((size_t)128 << 20)

#define CHECK(call)                                                                            \
  do {                                                                                         \
    cudaError_t check_error = (call);                                                          \
    if (check_error != cudaSuccess)                                                            \
      fail (#call, check_error);                                                               \
  } while (0)

static void
fail (const char *call, cudaError_t error)
{
  fprintf (stderr, "vyre-cuda-peer: %s: %s\n", call, cudaGetErrorString (error));
  exit (1);
}

struct Stats {
  uint32_t count, min, max, sum, squares;
};

/* One block: each thread a granule of 16 bytes, sums by shared atomics. */
__global__ void
stats_kernel (const uint4 *data, Stats *stats)
{
  __shared__ Stats block;
  uint4 granule = data[threadIdx.x];
  uint32_t words[4] = { granule.x, granule.y, granule.z, granule.w };
  Stats mine = { 16, 255, 0, 0, 0 };

  if (threadIdx.x == 0)
    block = Stats{ 0, 255, 0, 0, 0 };
  __syncthreads ();
  for (int i = 0; i < 16; i++) {
    uint32_t byte = words[i / 4] >> (8 * (i % 4)) & 0xFF;
    mine.min = min (mine.min, byte);
    mine.max = max (mine.max, byte);
    mine.sum += byte;
    mine.squares += byte * byte;
  }
  for (int apart = 16; apart > 0; apart /= 2) {
    mine.count += __shfl_down_sync (0xFFFFFFFFu, mine.count, apart);
    mine.min = min (mine.min, __shfl_down_sync (0xFFFFFFFFu, mine.min, apart));
    mine.max = max (mine.max, __shfl_down_sync (0xFFFFFFFFu, mine.max, apart));
    mine.sum += __shfl_down_sync (0xFFFFFFFFu, mine.sum, apart);
    mine.squares += __shfl_down_sync (0xFFFFFFFFu, mine.squares, apart);
  }
  if (threadIdx.x % 32 == 0) {
    atomicAdd (&block.count, mine.count);
    atomicMin (&block.min, mine.min);
    atomicMax (&block.max, mine.max);
    atomicAdd (&block.sum, mine.sum);
    atomicAdd (&block.squares, mine.squares);
  }
  __syncthreads ();
  if (threadIdx.x == 0)
    *stats = block;
}

__global__ void
nop_kernel (void)
{
}

static double
now_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

/* Pinned and device memory, and the work as a graph. */
struct Rtt {
  cudaStream_t stream;
  cudaGraphExec_t graph, nop_graph;
  uint8_t *from; /* pinned */
  Stats *results; /* pinned */
  uint4 *data;
  Stats *stats;
};

static void
enqueue_stats (Rtt *rtt)
{
  CHECK (cudaMemcpyAsync (rtt->data, rtt->from, SIZE, cudaMemcpyHostToDevice, rtt->stream));
  stats_kernel<<<1, THREADS, 0, rtt->stream>>> (rtt->data, rtt->stats);
  CHECK (cudaGetLastError ());
  CHECK (cudaMemcpyAsync (
      rtt->results, rtt->stats, sizeof (Stats), cudaMemcpyDeviceToHost, rtt->stream));
}

static void
enqueue_graph (Rtt *rtt)
{
  CHECK (cudaGraphLaunch (rtt->graph, rtt->stream));
}

static void
enqueue_nop (Rtt *rtt)
{
  nop_kernel<<<1, 1, 0, rtt->stream>>> ();
  CHECK (cudaGetLastError ());
}

static void
enqueue_nop_graph (Rtt *rtt)
{
  CHECK (cudaGraphLaunch (rtt->nop_graph, rtt->stream));
}

static cudaGraphExec_t
capture (Rtt *rtt, void (*enqueue) (Rtt *))
{
  cudaGraph_t graph;
  cudaGraphExec_t executable;

  CHECK (cudaStreamBeginCapture (rtt->stream, cudaStreamCaptureModeThreadLocal));
  enqueue (rtt);
  CHECK (cudaStreamEndCapture (rtt->stream, &graph));
#if CUDART_VERSION >= 12000
  CHECK (cudaGraphInstantiate (&executable, graph, 0));
#else
  CHECK (cudaGraphInstantiateWithFlags (&executable, graph, 0));
#endif
  CHECK (cudaGraphDestroy (graph));
  return executable;
}

static void
rtt_open (Rtt *rtt)
{
  CHECK (cudaStreamCreateWithFlags (&rtt->stream, cudaStreamNonBlocking));
  CHECK (cudaMallocHost ((void **)&rtt->from, SIZE));
  CHECK (cudaMallocHost ((void **)&rtt->results, sizeof (Stats)));
  CHECK (cudaMalloc ((void **)&rtt->data, SIZE));
  CHECK (cudaMalloc ((void **)&rtt->stats, sizeof (Stats)));
  enqueue_stats (rtt); /* the first launch loads the module, which a capture must not */
  enqueue_nop (rtt);
  CHECK (cudaStreamSynchronize (rtt->stream));
  rtt->graph = capture (rtt, enqueue_stats);
  rtt->nop_graph = capture (rtt, enqueue_nop);
}

static void
rtt_close (Rtt *rtt)
{
  CHECK (cudaGraphExecDestroy (rtt->graph));
  CHECK (cudaGraphExecDestroy (rtt->nop_graph));
  CHECK (cudaFree (rtt->data));
  CHECK (cudaFree (rtt->stats));
  CHECK (cudaFreeHost (rtt->from));
  CHECK (cudaFreeHost (rtt->results));
  CHECK (cudaStreamDestroy (rtt->stream));
}

/* New bytes, and what they should give. */
static Stats
change (uint8_t *data, uint32_t tag)
{
  Stats stats = { SIZE, 255, 0, 0, 0 };

  for (uint32_t i = 0; i < SIZE; i++) {
    uint32_t byte = (tag * 31 + i / 64 * 37 + i % 3) & 0xFF;
    data[i] = (uint8_t)byte;
    stats.min = byte < stats.min ? byte : stats.min;
    stats.max = byte > stats.max ? byte : stats.max;
    stats.sum += byte;
    stats.squares += byte * byte;
  }
  return stats;
}

/* Prints p50 and p99 of @enqueue and a wait; how many results were wrong. */
static int
measure (Rtt *rtt, const char *name, void (*enqueue) (Rtt *), bool results, double seconds)
{
  static double samples[MOST_SAMPLES];
  double end = now_us () + seconds * 1e6;
  int n = 0, wrong = 0;

  for (uint32_t i = 0; n < MOST_SAMPLES && (n < 100 || now_us () < end); i++) {
    Stats expected = change (rtt->from, i);
    memset (rtt->results, 0, sizeof (Stats));
    double start = now_us ();
    enqueue (rtt);
    CHECK (cudaStreamSynchronize (rtt->stream));
    double elapsed = now_us () - start;
    wrong += results && memcmp (rtt->results, &expected, sizeof expected) != 0;
    if (i >= WARM_UP)
      samples[n++] = elapsed;
  }
  qsort (samples, (size_t)n, sizeof *samples, compare);
  printf ("%s_p50_us %.3f\n%s_p99_us %.3f\n", name, samples[n / 2], name, samples[n * 99 / 100]);
  return wrong;
}

static int
run_rtt (double seconds)
{
  Rtt rtt;
  int wrong = 0;

  rtt_open (&rtt);
  wrong += measure (&rtt, "copy", enqueue_stats, true, seconds);
  wrong += measure (&rtt, "graph", enqueue_graph, true, seconds);
  wrong += measure (&rtt, "nop", enqueue_nop, false, seconds);
  wrong += measure (&rtt, "nop_graph", enqueue_nop_graph, false, seconds);
  rtt_close (&rtt);
  printf ("wrong %d\n", wrong);
  return wrong;
}

struct Copy {
  cudaStream_t streams[STREAMS];
  uint8_t *from; /* pinned */
  uint8_t *to;
};

/* Copies of @size at places that take turns, on the streams in turn. */
static double
copy_once (Copy *copy, size_t size, int n)
{
  size_t places = COPY_BYTES / size;
  double start = now_us ();

  for (int i = 0; i < n; i++) {
    size_t at = (size_t)i % places * size;
    CHECK (cudaMemcpyAsync (copy->to + at, copy->from + at, size, cudaMemcpyHostToDevice,
        copy->streams[i % STREAMS]));
  }
  for (int i = 0; i < STREAMS; i++)
    CHECK (cudaStreamSynchronize (copy->streams[i]));
  return now_us () - start;
}

/* Whether the device has what was copied; in the last place, which differs. */
static int
copy_is_wrong (Copy *copy, size_t size, uint8_t value)
{
  uint8_t back[64];
  size_t last = COPY_BYTES / size * size - sizeof back;

  memset (copy->from + last, value, sizeof back);
  copy_once (copy, size, (int)(COPY_BYTES / size));
  CHECK (cudaMemcpy (back, copy->to + last, sizeof back, cudaMemcpyDeviceToHost));
  return memcmp (back, copy->from + last, sizeof back) != 0;
}

static int
run_copy (double seconds)
{
  static const size_t sizes[] = { 64 << 10, 1 << 20, 8 << 20, 64 << 20 };
  Copy copy;
  int wrong = 0;

  CHECK (cudaMallocHost ((void **)&copy.from, COPY_BYTES));
  CHECK (cudaMalloc ((void **)&copy.to, COPY_BYTES));
  memset (copy.from, 1, COPY_BYTES);
  for (int i = 0; i < STREAMS; i++)
    CHECK (cudaStreamCreateWithFlags (&copy.streams[i], cudaStreamNonBlocking));
  for (int s = 0; s < 4; s++) {
    int n = (int)(2 * COPY_BYTES / sizes[s]);
    double elapsed = 0, bytes = 0;
    wrong += copy_is_wrong (&copy, sizes[s], (uint8_t)(s + 7));
    while (elapsed < seconds * 1e6) {
      elapsed += copy_once (&copy, sizes[s], n);
      bytes += (double)n * (double)sizes[s];
    }
    printf ("h2d_%zu_gbs %.3f\n", sizes[s], bytes / elapsed / 1e3);
  }
  for (int i = 0; i < STREAMS; i++)
    CHECK (cudaStreamDestroy (copy.streams[i]));
  CHECK (cudaFree (copy.to));
  CHECK (cudaFreeHost (copy.from));
  printf ("wrong_copies %d\n", wrong);
  return wrong;
}

int
main (int argc, char **argv)
{
  const char *mode = argc > 1 ? argv[1] : "all";
  double seconds = (argc > 2 ? atof (argv[2]) : 250) / 1000;
  bool all = strcmp (mode, "all") == 0;
  int devices = 0, driver = 0, wrong = 0;
  cudaDeviceProp properties;

  if (cudaGetDeviceCount (&devices) != cudaSuccess || devices == 0)
    return 77;
  CHECK (cudaSetDeviceFlags (cudaDeviceScheduleSpin));
  CHECK (cudaSetDevice (0));
  CHECK (cudaGetDeviceProperties (&properties, 0));
  CHECK (cudaDriverGetVersion (&driver));
  printf ("device %s\ncuda_driver %d\n", properties.name, driver);
  if (all || strcmp (mode, "rtt") == 0)
    wrong += run_rtt (seconds);
  if (all || strcmp (mode, "copy") == 0)
    wrong += run_copy (seconds);
  return wrong ? 1 : 0;
}
