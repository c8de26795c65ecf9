// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The buffers of the kernel, the batch in hand, and helpers of all other files. All buffers are
// coherent: the host and other workgroups write them while a workgroup runs, and a plain load may
// be served from a cache that misses such a store.

layout(local_size_x_id = VYRE_SPEC_WORKGROUP) in;
layout(constant_id = VYRE_SPEC_WORKGROUP_BITS) const uint WORKGROUP_BITS = 6u; // log2 of its size
// The extras that the kernel was built with. A CPU device would execute the code of all others for
// every batch, with no lane active.
layout(constant_id = VYRE_SPEC_EXTRAS) const uint BUILT_WITH = 0u;
const bool RARE = (BUILT_WITH & VYRE_EXTRA_RARE) != 0u;
const bool SAMPLES = (BUILT_WITH & VYRE_EXTRA_SAMPLES) != 0u;
const bool AUDIO = (BUILT_WITH & VYRE_EXTRA_AUDIO) != 0u;
const bool PICTURES = (BUILT_WITH & VYRE_EXTRA_PICTURES) != 0u;
const bool PACKED = (BUILT_WITH & VYRE_EXTRA_PACKED) != 0u;
const bool JOINT = (BUILT_WITH & VYRE_EXTRA_JOINT) != 0u;
// TRUE on a device with memory of its own: batches run in that, or in shared memory, and the kernel
// copies their readbacks out.
const bool DISCRETE = VYRE_DISCRETE != 0;
// TRUE when payloads are read as texels, see load_payload().
layout(constant_id = VYRE_SPEC_TEXELS) const bool TEXELS = false;

layout(push_constant) uniform Launch { uint launch[VYRE_LAUNCH_WORDS]; };

layout(set = 0, binding = VYRE_BIND_DOOR) coherent volatile readonly buffer Door { uvec4 door[]; };
layout(set = 0, binding = VYRE_BIND_STATE) coherent volatile buffer State { uint state[]; };
layout(set = 0, binding = VYRE_BIND_WORK) coherent buffer Work { uint work[]; };
layout(set = 0, binding = VYRE_BIND_PAYLOAD) coherent readonly buffer Payload { uvec4 payload[]; };
layout(set = 0, binding = VYRE_BIND_ANSWER) coherent volatile buffer Answer { uint answer[]; };
layout(set = 0, binding = VYRE_BIND_READBACK) coherent writeonly buffer Readback { uvec4 readback[]; };
layout(set = 0, binding = VYRE_BIND_STORE) coherent readonly buffer Store { uvec4 store[]; };

const uint WORKGROUP = 1u << WORKGROUP_BITS;
const bool ON_CPU = WORKGROUP <= VYRE_CPU_WORKGROUP;

// The ticket in hand, the next step, and decisions on the way. Lane 0 writes them, and only behind
// a barrier that follows every lane's last load of them. The next step has a word of its own:
// lanes may still load it when lane 0 makes the first decision on the way.
shared uint s_ticket[VYRE_TICKET_WORDS];
shared uint s_next;
shared uint s_decision;
// Atomics on accumulators and bins pair with each other, and with the barrier() behind them.
const uint VYRE_N_ACCUMULATORS = 10u;
shared uint s_accumulator[VYRE_N_ACCUMULATORS];
shared uint s_bins[VYRE_SAMPLE_HISTOGRAM_WORDS];

// A small batch as it runs, and the template that it started from: the next ticket often has the
// same one.
shared uint s_work[VYRE_LOCAL_WORDS];
shared uint s_template[VYRE_LOCAL_WORDS];

// Each lane's own copy of the ticket (or the step of a small batch) and of the words about the
// batch, in registers: on some devices a load of shared memory costs as much as ten additions, and
// all code uses these.
uint ticket[VYRE_TICKET_WORDS];
uint about[VYRE_ABOUT_WORDS];
uint slice;   // word where the batch starts
uint scratch; // word where its scratch starts
uint twin;    // how far behind the slot in hand a slot is that has the same results, or 0
bool local_batch = false;

uint lane() { return gl_LocalInvocationIndex; }
bool is_local() { return DISCRETE && local_batch; }

// Granules that an opcode loads together.
const uint VYRE_LOADS = 10u;

#if VYRE_DISCRETE
uvec4 load_payload(uint granule) { return payload[granule]; }

uvec4[VYRE_LOADS] load_payloads(uint granules[VYRE_LOADS])
{
  uvec4 bytes[VYRE_LOADS];
  [[unroll]] for (uint i = 0u; i < VYRE_LOADS; i++)
    bytes[i] = payload[granules[i]];
  return bytes;
}
#else
layout(set = 0, binding = VYRE_BIND_TEXELS, rgba32ui) coherent volatile readonly uniform uimageBuffer texels;

// A granule of the source: the payload store, or an import. llvmpipe loads from a buffer word by
// word and lane by lane, but texels of all lanes at once, which is many times as fast.
uvec4 load_payload(uint granule)
{
  uvec4 bytes;
  if (TEXELS)
    bytes = imageLoad(texels, int(granule));
  else
    bytes = payload[granule];
  return bytes;
}

// Several of them, with one branch: SwiftShader's time to compile doubles with branches in a row.
uvec4[VYRE_LOADS] load_payloads(uint granules[VYRE_LOADS])
{
  uvec4 bytes[VYRE_LOADS];
  if (TEXELS) {
    [[unroll]] for (uint i = 0u; i < VYRE_LOADS; i++)
      bytes[i] = imageLoad(texels, int(granules[i]));
  } else {
    [[unroll]] for (uint i = 0u; i < VYRE_LOADS; i++)
      bytes[i] = payload[granules[i]];
  }
  return bytes;
}
#endif

// The words of the batch in hand, in shared memory or in the work buffer. Atomics on a word pair
// with atomics of other lanes and workgroups on it, and order nothing else; publish_lanes() and
// order_writes() order the rest.
uint get(uint at)
{
  if (is_local())
    return s_work[at];
  return work[at];
}

uvec4 get4(uint at)
{
  if (is_local())
    return uvec4(s_work[at], s_work[at + 1u], s_work[at + 2u], s_work[at + 3u]);
  return uvec4(work[at], work[at + 1u], work[at + 2u], work[at + 3u]);
}

void put(uint at, uint value)
{
  if (is_local())
    s_work[at] = value;
  else
    work[at] = value;
}

uint add(uint at, uint value)
{
  if (is_local())
    return atomicAdd(s_work[at], value);
  return atomicAdd(work[at], value);
}

uint exchange(uint at, uint expected, uint value)
{
  if (is_local())
    return atomicCompSwap(s_work[at], expected, value);
  return atomicCompSwap(work[at], expected, value);
}

void flip(uint at, uint bits)
{
  if (is_local())
    atomicXor(s_work[at], bits);
  else
    atomicXor(work[at], bits);
}

// Word addresses inside the batch in hand.
uint control_at(uint word) { return slice + word; }
uint control_words() { return about[VYRE_ABOUT_CONTROL_WORDS]; }
uint slot_at(uint slot)
{
  return slice + about[VYRE_ABOUT_CONTROL_WORDS] + slot * VYRE_SLOT_WORDS;
}
uint debug_at() { return slot_at(about[VYRE_ABOUT_SLOTS]); }
uint io_at(uint io_slot) { return debug_at() + VYRE_DEBUG_WORDS + io_slot * VYRE_IO_SLOT_WORDS; }
uint scratch_at(uint word) { return scratch + word; }
uint slot_scratch_at(uint slot)
{
  return scratch_at(VYRE_SCRATCH_SLOTS + slot * VYRE_SCRATCH_SLOT_WORDS);
}
uint handlers_at() { return slot_scratch_at(about[VYRE_ABOUT_SLOTS]); }
uint steps_at() { return handlers_at() + about[VYRE_ABOUT_HANDLER_WORDS]; }

// Orders this lane's stores to the batch before its later ones. No other lane reads a small batch
// before the next barrier(), which orders shared memory; memory barriers, even for the workgroup
// alone, cost hundreds of cycles each.
void order_writes()
{
  if (!is_local())
    memoryBarrierBuffer(); // pairs as its callers say
}

// Makes the stores of all lanes visible to every reader of lane 0's next store.
void publish_lanes()
{
  order_writes();
  barrier(); // all lanes have ordered their stores before lane 0 goes on
}

// Lane 0, while no other lane of its workgroup works on the batch. As add(), without an atomic in a
// small batch, which has one workgroup.
uint add_alone(uint at, uint value)
{
  if (!is_local())
    return atomicAdd(work[at], value);
  uint before = s_work[at];
  s_work[at] = before + value;
  return before;
}

// As add_alone(): the word becomes @value if that is larger.
void raise_alone(uint at, uint value)
{
  if (is_local())
    s_work[at] = max(s_work[at], value);
  else
    atomicMax(work[at], value);
}

// Carries to the high word of a 64-bit sum. The carry is exact because an addition to the low word
// returned the value @before it. The two halves are separate calls, so that several sums can be
// under way at the same time.
void carry_64(uint at, uint before, uint low, uint high)
{
  high += before + low < before ? 1u : 0u;
  if (high != 0u)
    add_alone(at + 1u, high);
}
