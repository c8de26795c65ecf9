// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The megakernel: workgroups take tickets until they are retired, run out of
// budget, or (in a single dispatch) reach their limit. See kernel.h for the
// structures, docs/protocol.md for the order of stores and loads, and
// docs/architecture.md for the reasons.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_KHR_shader_subgroup_vote : require
// Without its extra a kernel has no code for packed samples, and their words do not fit.
#define VYRE_SAMPLES_ARE_PACKED(word) (VYRE_SAMPLES_BYTES(word) == 3u && PACKED)
#include "abi.h"
#include "kernel.h"
#include "loop/buffers.glsl"
#include "loop/slots.glsl"
#include "ops/control.glsl"
#include "loop/payload.glsl"
#define VYRE_OPCODES_CODE
#include "opcodes.def"
#include "loop/payload-ops.glsl"

const uint LEAVE = 0u;
const uint WAIT = 1u;
const uint WORK = 2u;

bool flag(uint bit) { return (launch[VYRE_LAUNCH_FLAGS] & bit) != 0u; }

// TRUE once the host has retired this launch. The difference of the numbers is signed, so that
// they may wrap. Pairs with the store in launcher_retire_below().
bool retired() { return int(door[VYRE_DOOR_RETIRE].x - launch[VYRE_LAUNCH_SEQUENCE]) > 0; }

// TRUE when each workgroup waits for a ticket of its own instead of racing for the next one: fewer
// steps from doorbell to work, but all workgroups of the launch have to run at the same time.
bool holds() { return DISCRETE && flag(VYRE_FLAG_HOLD); }

// A granule of a ticket. Pairs with the stores in vyre_tickets_write() and tickets_store_kind().
uvec4 ticket_quarter(uint number, uint quarter)
{
  return door[VYRE_DOOR_TICKETS + number % VYRE_MAX_TICKETS * VYRE_TICKET_GRANULES + quarter];
}

bool is_published(uint number) { return ticket_quarter(number, 0u).x == VYRE_TICKET_MARK(number); }

// TRUE for a ticket of a large batch.
bool is_worth_company(uint number)
{
  uvec4 quarter = ticket_quarter(number, 0u); // mark, kind, cost
  return VYRE_KIND_OF(quarter.y) != VYRE_KIND_LOCAL && quarter.z >= VYRE_COST_WORTH_COMPANY;
}

void keep_quarter(uint i, uvec4 quarter)
{
  s_ticket[3u * i] = quarter.y;
  s_ticket[3u * i + 1u] = quarter.z;
  s_ticket[3u * i + 2u] = quarter.w;
}

// Copies a ticket to s_ticket; false when a part of it has not arrived.
bool read_ticket(uint number)
{
  uvec4 quarters[VYRE_TICKET_GRANULES];
  bool whole = true;
  [[unroll]] for (uint i = 0u; i < VYRE_TICKET_GRANULES; i++) {
    quarters[i] = ticket_quarter(number, i);
    whole = whole && quarters[i].x == VYRE_TICKET_MARK(number);
  }
  if (!whole)
    return false;
  [[unroll]] for (uint i = 0u; i < VYRE_TICKET_GRANULES; i++)
    keep_quarter(i, quarters[i]);
  return true;
}

// TRUE for a ticket that needs a kernel with more extras, which the host launches next.
bool is_beyond(uint kind) { return (VYRE_NEEDS_OF(kind) & ~BUILT_WITH) != 0u; }

// TRUE for a ticket whose payload this launch does not read. Only CPU devices read imports in
// place, and they hold no tickets.
bool is_elsewhere(uint kind) { return VYRE_SOURCE_OF(kind) != launch[VYRE_LAUNCH_SOURCE]; }

// The first subgroup looks at the ticket that its workgroup holds. Device memory is half a
// microsecond away, so at every look four lanes load the whole ticket, and one more load tells
// whether the launch is retired. Loads of the batch need no barrier: their addresses come out of
// the ticket, which pairs with the flush in publish_store().
uint look(uint number, uint spent)
{
  uint i = gl_SubgroupInvocationID;
  uvec4 quarter = ticket_quarter(number, i % VYRE_TICKET_GRANULES);
  bool leave = retired() || spent >= launch[VYRE_LAUNCH_BUDGET];
  bool there = quarter.x == VYRE_TICKET_MARK(number);
  bool beyond = there && i == 0u && is_beyond(quarter.y); // the first quarter has the kind
  uint next = leave || beyond ? LEAVE : there ? WORK : WAIT;
  next = subgroupMin(next);
  if (next != WORK)
    return next;
  if (i < VYRE_TICKET_GRANULES)
    keep_quarter(i, quarter);
  return WORK;
}

// TRUE when the last workgroup of a launch has to leave, so that the host launches more of them for
// a large backlog. On a device with few workers the others leave when idle.
bool wants_company(uint head, uint served)
{
  return launch[VYRE_LAUNCH_BACKLOG] != 0u && served != 0u && state[VYRE_STATE_ALIVE] == 1u
      && is_published(head + launch[VYRE_LAUNCH_BACKLOG] - 1u)
      && is_worth_company(head);
}

// How much longer than the others the first workgroup waits beside one at work: 13 ms at 200 ns.
const uint PATIENCE = 256u;

// On a device with few workers the first workgroup waits alone: the others leave soon. Beside a
// workgroup at work it leaves, too, if much later, because the two may share a thread of a driver
// that goes from one to the other at barriers alone; the host launches both again.
bool too_many_idle(uint idle)
{
  uint linger = launch[VYRE_LAUNCH_LINGER];
  if (linger == 0u || idle < linger)
    return false;
  return gl_WorkGroupID.x != 0u
      || (idle >= PATIENCE * linger && state[VYRE_STATE_ALIVE] > 1u);
}

// Claims the ticket that this workgroup holds from now on. The additions of a launch pair with each
// other; the loads of tickets left by the launch before pair with the end of hand_back().
uint claim()
{
  uint claims = atomicAdd(state[VYRE_STATE_CLAIMS], 1u);
  uint n_held = state[VYRE_STATE_N_HELD];
  return claims < n_held ? state[VYRE_STATE_HELD + claims]
                         : state[VYRE_STATE_FIRST] + claims - n_held;
}

// One lane takes the ticket at the head. Another workgroup may take it first: a lost race counts as
// waiting.
uint take(uint spent, uint idle, uint served)
{
  uint budget = launch[VYRE_LAUNCH_BUDGET];
  if (spent >= budget || retired())
    return LEAVE;
  uint number = state[VYRE_STATE_HEAD];
  if (!flag(VYRE_FLAG_POLL) && int(launch[VYRE_LAUNCH_LIMIT] - number) <= 0)
    return LEAVE;
  if (!is_published(number))
    return too_many_idle(idle) ? LEAVE : WAIT;
  if (wants_company(number, served))
    return LEAVE;
  memoryBarrierBuffer(); // pairs with the flush in publish_store()
  if (!read_ticket(number))
    return WAIT;
  if (s_ticket[VYRE_TICKET_COST] > budget - spent || is_beyond(s_ticket[VYRE_TICKET_KIND])
      || is_elsewhere(s_ticket[VYRE_TICKET_KIND]))
    return LEAVE;
  // The host cannot overwrite a ticket while it is the head. Once it is not, the copy is of no use
  // and the exchange fails. Pairs with the exchange of other workgroups.
  if (atomicCompSwap(state[VYRE_STATE_HEAD], number, number + 1u) != number)
    return WAIT;
  return WORK;
}

// One lane of a workgroup that has decided to leave tells the host. A workgroup whose loop the
// device ended never gets here, and the host counts one exit less. (Behind the loop is too late: a
// compiler may assume that a loop ends by its own exit.)
void sign_off(uint idle_total)
{
  atomicAdd(state[VYRE_STATE_ALIVE], 0xFFFFFFFFu);
  uint before = atomicAdd(answer[VYRE_ANSWER_IDLE_POLLS], idle_total);
  if (before + idle_total < before)
    atomicAdd(answer[VYRE_ANSWER_IDLE_POLLS + 1], 1u);
  memoryBarrierBuffer(); // pairs with the load of EXITS in launcher_check_exits()
  atomicAdd(answer[VYRE_ANSWER_EXITS], 1u);
}

// The stay of a workgroup, in the lanes that wait: iterations of its loops, looks that found
// nothing, whether it has had a ticket, and the ticket that it holds.
uint spent = 0u;
uint idle_total = 0u;
uint served = 0u;
uint held = 0u;

// The loop is small and holds nothing but the search: a CPU device executes masked-off code too.
uint wait_for_ticket()
{
  uint decision = WAIT;
  for (uint idle = 0u; decision == WAIT; idle++) {
    if (holds())
      decision = look(held, spent);
    else
      decision = take(spent, idle, served);
    spent++;
    idle_total += decision == WAIT ? 1u : 0u;
  }
  return decision;
}

// With held tickets the first subgroup searches; otherwise lane 0 does.
bool leads() { return DISCRETE ? gl_SubgroupID == 0u : lane() == 0u; }

// The leading lanes put the next step into s_next. One of them looks for a ticket at the head; all
// of them look at the held ticket.
void find_next()
{
  bool first = !DISCRETE || subgroupElect();
  if (holds()) {
    if (first)
      held = claim();
    held = subgroupBroadcastFirst(held);
  }
  if (!holds() && !first)
    return;
  uint next = wait_for_ticket();
  if (!first)
    return;
  s_next = next;
  if (next == LEAVE)
    sign_off(idle_total);
}

// Lane 0. The first tile of a slot decides whether the slot runs, for all of its tiles: a change of
// the tenant table in the same batch cannot split a slot.
bool slot_verdict(uint slot, Slot s)
{
  uint at = slot_scratch_at(slot) + VYRE_SCRATCH_SLOT_VERDICT;
  if (s.verdict != VYRE_VERDICT_OPEN)
    return s.verdict == VYRE_VERDICT_RUN;
  uint verdict = authorised(s) ? VYRE_VERDICT_RUN : VYRE_VERDICT_REFUSED;
  uint before = exchange(at, VYRE_VERDICT_OPEN, verdict); // pairs with itself, of other tiles
  if (before != VYRE_VERDICT_OPEN)
    return before == VYRE_VERDICT_RUN;
  if (verdict == VYRE_VERDICT_RUN)
    put(slot_at(slot) + VYRE_SLOT_STATUS, VYRE_STATUS_CLAIMED);
  return verdict == VYRE_VERDICT_RUN;
}

// All lanes get the same answer. Steps of a small batch run one after the other, so its tiles need
// no verdict in common.
bool tile_may_run(uint slot, Slot s)
{
  if (is_local())
    return authorised(s);
  if (lane() == 0u)
    s_decision = slot_verdict(slot, s) ? 1u : 0u;
  barrier(); // s_decision is there for all lanes
  return s_decision != 0u;
}

// A tile before it runs: its slot, operation and region, whether it may run, and whether its
// operands fit.
struct Tile {
  uint slot;
  uint opcode;
  bool runs;
  bool fits;
  Region region;
};

Tile load_tile(uint slot)
{
  Slot s = load_slot(slot);
  Region r = region_of(s);
  if (takes_other(s.opcode))
    r.observable = VYRE_PAIR_OBSERVABLE(r.observable);
  return Tile(slot, s.opcode, tile_may_run(slot, s), payload_op_fits(slot, s.opcode, r), r);
}

// Facts about the template of small batches, see loop/small.glsl: it has their end in it, and their
// only fence is a plain one.
bool known_end = false;
bool known_fence = false;
void run_known_fence();

// TRUE for a batch whose end was there when it began.
bool ends_by_itself() { return is_local() && known_end; }

// Runs a tile; the last tile of a slot ends the slot, and its twin.
void run_tile(Tile t)
{
  if (t.runs && t.fits)
    run_payload_op(t.opcode, t.region);
  publish_lanes();
  clear_accumulators();
  if (lane() != 0u || !t.runs)
    return;
  bool open = !ends_by_itself();
  if (open
      && add_alone(slot_scratch_at(t.slot) + VYRE_SCRATCH_SLOT_TILES_LEFT, 0xFFFFFFFFu) != 1u)
    return;
  order_writes(); // pairs with publish_lanes() above, in the workgroups of the other tiles
  for (uint n = with_twin(); n > 0u; n--) {
    if (t.fits)
      end_payload_op(t.opcode, t.region);
    if (open)
      finish(t.slot, ran_to(t.fits));
    if (n > 1u) {
      t.slot += twin;
      t.region = twin_region(t.region);
    }
  }
}

// Runs a slot, or a run of slots, of the batch in hand.
void run_slots(uint kind)
{
  uint slot = ticket[VYRE_TICKET_SLOT];

  if (kind == VYRE_KIND_SOLO)
    run_solo(slot);
  else
    run_lanes(slot, ticket[VYRE_TICKET_COUNT],
        kind == VYRE_KIND_PASSES ? ticket[VYRE_TICKET_PASSES] : 0u);
}

// All lanes copy the changed parts of the batch, and the report, to its readback.
void copy_out()
{
  uint copied = about[VYRE_ABOUT_COPIED];
  uint behind = (scratch - slice) / 4u - copied; // granules between those parts and the report
  for (uint i = lane(); i < copied + VYRE_SCRATCH_REPORT_WORDS / 4u; i += WORKGROUP) {
    uint granule = i < copied ? i : i + behind;
    readback[ticket[VYRE_TICKET_READBACK] + granule] = get4(slice + 4u * granule);
  }
}

// Lane 0. Pairs with the load in vyre_batch_is_completed(). The host also looks at the marks of a
// readback that is copied out: no barrier orders a GPU's stores to the host's memory.
void complete_batch()
{
  uint index = VYRE_INDEX_OF(s_ticket[VYRE_TICKET_KIND]);
  answer[index * VYRE_COMPLETION_WORDS] = s_ticket[VYRE_TICKET_SEQUENCE];
}

// TRUE for a ticket of a dropped batch; the host may drop one until its tickets have been read.
bool is_dropped() { return (ticket[VYRE_TICKET_KIND] & VYRE_KIND_DROPPED) != 0u; }

// Lane 0.
void end_fences()
{
  if (is_local() && known_fence)
    run_known_fence();
  else
    run_fences();
}

// The workgroup that finished the last ticket of a batch ends the batch.
void end_batch()
{
  if (lane() == 0u && !is_dropped() && !ends_by_itself())
    end_fences();
  if (DISCRETE) {
    publish_lanes();
    copy_out();
    if (WORKGROUP <= VYRE_CPU_WORKGROUP) { // a CPU may store a granule word by word
      memoryBarrierBuffer(); // pairs with vyre_order_loads() in vyre_readback_marks_is_whole()
      barrier(); // all lanes have copied their part
    }
  } else {
    memoryBarrierBuffer(); // pairs with vyre_order_loads() in vyre_batch_is_completed()
  }
  if (lane() == 0u)
    complete_batch();
}

void load_about()
{
  [[unroll]] for (uint i = 0u; i < VYRE_ABOUT_WORDS; i++)
    about[i] = get(scratch_at(VYRE_SCRATCH_ABOUT + i));
}

#include "loop/small.glsl"

// All lanes. Returns whether this was the last ticket of its batch.
bool end_ticket()
{
  publish_lanes();
  if (lane() == 0u) {
    uint left = add(scratch_at(VYRE_SCRATCH_TICKETS_LEFT), 0xFFFFFFFFu);
    s_decision = left == 1u ? 1u : 0u;
    memoryBarrierBuffer(); // pairs with publish_lanes() above, in the workgroups of earlier tickets
  }
  barrier(); // s_decision is there for all lanes
  return s_decision != 0u;
}

// Runs a ticket of a large batch; returns whether it was the last one.
bool run_large()
{
  local_batch = false;
  forget_small();
  twin = VYRE_TWIN_OF(ticket[VYRE_TICKET_SLOT]);
  ticket[VYRE_TICKET_SLOT] = VYRE_SLOT_OF(ticket[VYRE_TICKET_SLOT]);
  slice = ticket[VYRE_TICKET_BASE];
  scratch = slice + ticket[VYRE_TICKET_SCRATCH];
  if (lane() == 0u)
    answer[VYRE_ANSWER_PROGRESS] = ticket[VYRE_TICKET_SEQUENCE] * 4099u
        + ticket[VYRE_TICKET_SLOT] + ticket[VYRE_TICKET_ROW]
        + ticket[VYRE_TICKET_COLUMN]; // any change will do
  load_about();
  uint kind = VYRE_KIND_OF(ticket[VYRE_TICKET_KIND]);
  if (!is_dropped()) {
    if (kind == VYRE_KIND_TILE)
      run_tile(load_tile(ticket[VYRE_TICKET_SLOT]));
    else
      run_slots(kind);
  }
  bool last = end_ticket();
  if (last)
    end_batch();
  return last;
}

uint run_ticket()
{
  [[unroll]] for (uint i = 0u; i < VYRE_TICKET_WORDS; i++)
    ticket[i] = s_ticket[i];
  uint cost = ticket[VYRE_TICKET_COST];
  if (lane() == 0u && is_dropped())
    atomicAdd(answer[VYRE_ANSWER_DROPPED], 1u);
  if (DISCRETE && VYRE_KIND_OF(ticket[VYRE_TICKET_KIND]) == VYRE_KIND_LOCAL)
    run_small();
  else if (!run_large() && is_dropped())
    cost = min(cost, VYRE_COST_TICKET);
  return cost;
}

// Counts loop iterations and hashes once for each. The host finds both results only if the device
// lets the loop run to its end.
void probe()
{
  uint counted = 0u, hash = 0u;
  while (counted < launch[VYRE_LAUNCH_BUDGET]) {
    counted++;
    hash = VYRE_PROBE_STEP(hash);
  }
  answer[VYRE_ANSWER_PROBE] = counted;
  answer[VYRE_ANSWER_PROBE_HASH] = hash;
}

// Counts the workgroups that run at the same time: each stays for a while.
void census()
{
  uint most = atomicAdd(state[VYRE_STATE_ALIVE], 1u) + 1u;
  for (uint i = 0u; i < launch[VYRE_LAUNCH_BUDGET]; i++)
    most = max(most, state[VYRE_STATE_ALIVE]);
  // before this workgroup makes room for another, which counts itself
  most = max(most, atomicAdd(state[VYRE_STATE_ALIVE], 0xFFFFFFFFu));
  atomicMax(answer[VYRE_ANSWER_RESIDENT], most);
}

// Leaves the held ticket to the next launch. The last workgroup to go sorts all held tickets: if
// the next launch has fewer workgroups, they take the earlier tickets first.
void hand_back(uint held)
{
  uint n = gl_NumWorkGroups.x;
  if (leads() && subgroupElect()) {
    state[VYRE_STATE_LEFT + atomicAdd(state[VYRE_STATE_N_LEFT], 1u)] = held;
    memoryBarrierBuffer(); // pairs with the one below, of the last workgroup to go
    s_decision = atomicAdd(state[VYRE_STATE_N_GONE], 1u) + 1u == n ? 1u : 0u;
    memoryBarrierBuffer(); // pairs with the one above, of all others
  }
  barrier(); // s_decision is there for all lanes
  if (s_decision == 0u)
    return;
  for (uint i = lane(); i < n; i += WORKGROUP)
    s_work[i] = state[VYRE_STATE_LEFT + i];
  barrier(); // all tickets are there to be compared
  for (uint i = lane(); i < n; i += WORKGROUP) {
    uint rank = 0u;
    for (uint j = 0u; j < n; j++)
      rank += int(s_work[j] - s_work[i]) < 0 ? 1u : 0u;
    state[VYRE_STATE_HELD + rank] = s_work[i];
  }
  // the end of the launch orders these stores before claim() of the next launch
  if (lane() == 0u) {
    state[VYRE_STATE_FIRST] += state[VYRE_STATE_CLAIMS] - state[VYRE_STATE_N_HELD];
    state[VYRE_STATE_N_HELD] = n;
    state[VYRE_STATE_CLAIMS] = 0u;
    state[VYRE_STATE_N_LEFT] = 0u;
    state[VYRE_STATE_N_GONE] = 0u;
  }
}

void main()
{
  if ((launch[VYRE_LAUNCH_FLAGS] & (VYRE_FLAG_PROBE | VYRE_FLAG_CENSUS)) != 0u) {
    if (lane() == 0u && flag(VYRE_FLAG_PROBE))
      probe();
    if (lane() == 0u && flag(VYRE_FLAG_CENSUS))
      census();
    barrier(); // a workgroup whose other subgroups are gone makes room for another
    return;
  }
  if (lane() == 0u) {
    atomicAdd(state[VYRE_STATE_ALIVE], 1u);
    s_template_id = 0u;
  }
  clear_accumulators();
  while (true) {
    if (leads())
      find_next();
    barrier(); // s_next and s_ticket are there for all lanes
    if (s_next == LEAVE)
      break;
    uint cost = run_ticket();
    // A workgroup that leaves by itself keeps its held ticket from others until the launch ends. So
    // it counts its looks since the last ticket alone: only a dead host lets these run out.
    spent = holds() ? 0u : spent + cost;
    barrier(); // all lanes are through with the ticket and have read s_next
    served = 1u;
  }
  if (holds())
    hand_back(held);
}
