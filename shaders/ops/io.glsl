// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Requests to the host: to load files, and to write to them. The kernel never waits for the host: a
// slot waits, and goes on when its batch runs again.

// TRUE when the runtime answers and has the batch run again; otherwise the owner of the readback
// does.
bool is_served() { return get(scratch_at(VYRE_SCRATCH_SERVED)) != 0u; }

uint n_resources() { return max(VYRE_SERVED_RESOURCES(get(scratch_at(VYRE_SCRATCH_SERVED))), 1u) - 1u; }

// TRUE when a slot may ask for its write. Slots ask for writes once all loads have ended, in the
// order of the slots: the runtime says up to which slot.
bool may_write(uint slot)
{
  return !is_served() || slot < VYRE_SERVED_WRITES_END(get(scratch_at(VYRE_SCRATCH_SERVED)));
}

uint resource_at(uint handle)
{
  return handlers_at() + about[VYRE_ABOUT_HANDLER_WORDS] + handle * VYRE_RESOURCE_TABLE_WORDS;
}

// Bytes of a resource, or VYRE_NOT_RESIDENT if it was not in the payload store when the batch was
// published.
uint resident_bytes(uint handle)
{
  uint bytes = VYRE_NOT_RESIDENT;
  if (handle < n_resources())
    bytes = get(resource_at(handle) + VYRE_RESOURCE_BYTES);
  return bytes;
}

// The io slot with the host's answer to a slot, found by its tag; VYRE_IO_SLOTS without an answer.
uint find_answer(uint slot)
{
  uint found = VYRE_IO_SLOTS;
  for (uint i = 0u; i < VYRE_IO_SLOTS && found == VYRE_IO_SLOTS; i++) {
    uint status = get(io_at(i) + VYRE_IO_SLOT_STATUS);
    bool through = status == VYRE_IO_STATUS_OK || status == VYRE_IO_STATUS_ERROR;
    if (through && get(io_at(i) + VYRE_IO_SLOT_TAG) == slot)
      found = i;
  }
  return found;
}

// Takes the host's answer to a slot and frees its io slot; EMPTY without an answer.
uint take_answer(uint slot)
{
  uint found = find_answer(slot), answer = VYRE_STATUS_EMPTY;
  if (found != VYRE_IO_SLOTS) {
    answer = get(io_at(found) + VYRE_IO_SLOT_STATUS);
    put(io_at(found) + VYRE_IO_SLOT_STATUS, VYRE_STATUS_EMPTY);
  }
  return answer;
}

struct Request {
  uint op;
  uint source;
  uint destination;
  uint offset;
  uint bytes;
};

// Makes a request and returns the status of its slot: PUBLISHED, to make it again, when no io slot
// is free.
uint ask(uint slot, Request r)
{
  uint mine = VYRE_IO_SLOTS;
  for (uint i = 0u; i < VYRE_IO_SLOTS && mine == VYRE_IO_SLOTS; i++) {
    if (exchange(io_at(i) + VYRE_IO_SLOT_STATUS, VYRE_STATUS_EMPTY, VYRE_STATUS_PUBLISHED)
        == VYRE_STATUS_EMPTY)
      mine = i;
  }
  if (mine == VYRE_IO_SLOTS)
    return VYRE_STATUS_PUBLISHED;
  uint at = io_at(mine);
  put(at + VYRE_IO_SLOT_OP, r.op);
  put(at + VYRE_IO_SLOT_SOURCE, r.source);
  put(at + VYRE_IO_SLOT_DESTINATION, r.destination);
  put(at + VYRE_IO_SLOT_OFFSET, r.offset);
  put(at + VYRE_IO_SLOT_OFFSET + 1u, 0u);
  put(at + VYRE_IO_SLOT_BYTES, r.bytes);
  put(at + VYRE_IO_SLOT_TAG, slot);
  add(scratch_at(VYRE_SCRATCH_ASKED), 1u);
  return VYRE_STATUS_WAIT_IO;
}

// Copies words of a resident resource to observables; false when either has too few.
bool copy_words(Slot s)
{
  uint handle = s.args[VYRE_RESOURCE_ARG_HANDLE], first = s.args[VYRE_RESOURCE_ARG_WORD];
  uint n = s.args[VYRE_RESOURCE_ARG_WORDS];
  uint to = s.args[VYRE_RESOURCE_ARG_OBSERVABLE];
  uint words = resident_bytes(handle) / 4u;
  uint room = control_words() - VYRE_CONTROL_OBSERVABLES;
  if (n > words || first > words - n || n > room || to > room - n)
    return false;
  uint granule = get(resource_at(handle) + VYRE_RESOURCE_GRANULE);
  for (uint i = 0u; i < n; i++) {
    uvec4 four = store[granule + (first + i) / 4u];
    put(control_at(VYRE_CONTROL_OBSERVABLES + to + i), four[(first + i) % 4u]);
  }
  return true;
}

bool append_fits(Slot s)
{
  return range_in_control(s.args[VYRE_RESOURCE_ARG_WORD], s.args[VYRE_RESOURCE_ARG_WORDS]);
}

// The request of a slot: to load all of a resource to a place that the host chooses, to write, or
// to sync.
Request request_of(Slot s)
{
  uint handle = s.args[VYRE_RESOURCE_ARG_HANDLE];
  if (s.opcode == VYRE_OP_APPEND)
    return Request(VYRE_IO_OP_WRITE, 0u, handle, 4u * s.args[VYRE_RESOURCE_ARG_WORD],
        4u * s.args[VYRE_RESOURCE_ARG_WORDS]);
  if (s.opcode == VYRE_OP_SYNC)
    return Request(VYRE_IO_OP_FENCE, 0u, handle, 0u, 0u);
  return Request(VYRE_IO_OP_READ, handle, 0u, 0u, 0u);
}

const uint ASK = 0xFFFFFFFFu; // in the place of a status: the slot has to make its request

// The host may evict a loaded resource before the batch runs again: then the slot asks once more.
// An OK of any other host than the runtime is a fault: only the runtime has a place to copy from.
uint load_words(Slot s, uint answer)
{
  bool resident = resident_bytes(s.args[VYRE_RESOURCE_ARG_HANDLE]) != VYRE_NOT_RESIDENT;
  if (answer == VYRE_IO_STATUS_ERROR || (answer == VYRE_IO_STATUS_OK && !is_served()))
    return VYRE_STATUS_FAULT;
  return resident ? ran_to(copy_words(s)) : ASK;
}

uint load_miss(Slot s, uint answer)
{
  bool resident = resident_bytes(s.args[VYRE_RESOURCE_ARG_HANDLE]) != VYRE_NOT_RESIDENT;
  if (answer == VYRE_STATUS_EMPTY && !resident)
    return ASK;
  return ran_to(answer != VYRE_IO_STATUS_ERROR);
}

uint write_out(uint slot, Slot s, uint answer)
{
  if (answer != VYRE_STATUS_EMPTY)
    return ran_to(answer == VYRE_IO_STATUS_OK);
  if (s.opcode == VYRE_OP_APPEND && !append_fits(s))
    return VYRE_STATUS_FAULT;
  return may_write(slot) ? ASK : VYRE_STATUS_PUBLISHED;
}

// TRUE for a prefetch, which ends once the runtime is asked; any other host may report the outcome.
bool is_prefetch(Slot s)
{
  return s.opcode == VYRE_OP_LOAD_MISS && s.args[VYRE_RESOURCE_ARG_PREFETCH] != 0u && is_served();
}

// One lane runs a slot that asks the host. The search for an answer and the search for room stand
// here once each: a CPU device runs them for every lane, whatever its slot is.
uint ask_host(uint slot, Slot s)
{
  bool waits = s.status == VYRE_STATUS_WAIT_IO;
  uint answer = VYRE_STATUS_EMPTY, status;
  if (waits)
    answer = take_answer(slot);
  if (waits && answer == VYRE_STATUS_EMPTY)
    return VYRE_STATUS_WAIT_IO;
  if (s.opcode == VYRE_OP_LOAD_MISS)
    status = load_miss(s, answer);
  else if (s.opcode == VYRE_OP_LOAD_WORDS)
    status = load_words(s, answer);
  else
    status = write_out(slot, s, answer);
  if (status == ASK) {
    status = ask(slot, request_of(s));
    if (status == VYRE_STATUS_WAIT_IO && is_prefetch(s))
      status = VYRE_STATUS_DONE;
  }
  return status;
}
