// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The buffers of the kernel and the few helpers that everything else uses.
// All are coherent: host and other workgroups write them while we run, and a
// plain load may be served from a cache that never hears of it.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint WORKGROUP_BITS = 6u; // log2 of the workgroup size

layout(push_constant) uniform Launch { uint launch[VYRE_LAUNCH_WORDS]; };

layout(set = 0, binding = VYRE_BIND_DOOR) coherent volatile readonly buffer Door { uint door[]; };
layout(set = 0, binding = VYRE_BIND_STATE) coherent volatile buffer State { uint state[]; };
layout(set = 0, binding = VYRE_BIND_WORK) coherent buffer Work { uint work[]; };
layout(set = 0, binding = VYRE_BIND_PAYLOAD) coherent readonly buffer Payload { uvec4 payload[]; };
layout(set = 0, binding = VYRE_BIND_ANSWER) coherent volatile buffer Answer { uint answer[]; };

const uint WORKGROUP = 1u << WORKGROUP_BITS;

// The ticket in hand and its batch, what to do next, and decisions on the way.
// Lane 0 writes them, and may do so only after a barrier behind the last time
// that any lane read them: what to do next has a word of its own, because lanes
// may still be reading it when lane 0 comes to the first decision on the way.
shared uint s_ticket[VYRE_TICKET_WORDS];
shared uint s_batch[VYRE_BATCH_WORDS];
shared uint s_next;
shared uint s_decision;
shared uint s_accumulator[8];
shared uint s_bins[VYRE_U8_HISTOGRAM_WORDS];

// Each lane's own copy of the two, in registers: on some devices a load of
// shared memory costs as much as ten additions, and these are used everywhere.
uint ticket[VYRE_TICKET_WORDS];
uint batch[VYRE_BATCH_WORDS];

uint lane() { return gl_LocalInvocationIndex; }

// Word addresses inside the work buffer of the batch in hand.
uint control_at(uint word) { return batch[VYRE_BATCH_BASE] + word; }
uint control_words() { return batch[VYRE_BATCH_CONTROL_WORDS]; }
uint slot_at(uint slot)
{
  return batch[VYRE_BATCH_BASE] + batch[VYRE_BATCH_CONTROL_WORDS] + slot * VYRE_SLOT_WORDS;
}
uint debug_at() { return slot_at(batch[VYRE_BATCH_SLOTS]); }
uint scratch_at(uint word) { return batch[VYRE_BATCH_SCRATCH] + word; }
uint slot_scratch_at(uint slot)
{
  return scratch_at(VYRE_SCRATCH_SLOTS + slot * VYRE_SCRATCH_SLOT_WORDS);
}

// Makes what all lanes wrote visible to whoever sees what lane 0 writes next.
void publish_lanes()
{
  memoryBarrierBuffer();
  barrier();
}

// 64-bit sums in two words, low word first: the carry is exact because the
// atomic returns the value it added to.
void atomic_add_64(uint address, uint low, uint high)
{
  uint before = atomicAdd(work[address], low);
  high += before + low < before ? 1u : 0u;
  if (high != 0u)
    atomicAdd(work[address + 1u], high);
}
