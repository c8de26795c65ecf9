// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Asking the host for what is not there, and for what only it can do. Nothing waits in
// the kernel: a slot is parked, and goes on when its batch runs again.

// Whether the runtime answers, and has the batch run again. Otherwise it is up to whoever
// has the readback.
bool is_served() { return get(scratch_at(VYRE_SCRATCH_SERVED)) != 0u; }

uint n_resources() { return max(get(scratch_at(VYRE_SCRATCH_SERVED)), 1u) - 1u; }

uint resource_at(uint handle)
{
  return handlers_at() + about[VYRE_ABOUT_HANDLER_WORDS] + handle * VYRE_RESOURCE_TABLE_WORDS;
}

// Bytes of a resource that was in the payload store when the batch was published.
uint resident_bytes(uint handle)
{
  uint bytes = VYRE_NOT_RESIDENT;
  if (handle < n_resources())
    bytes = get(resource_at(handle) + VYRE_RESOURCE_BYTES);
  return bytes;
}

// The io slot with the host's answer to a slot, by its tag; VYRE_IO_SLOTS when there
// is none yet.
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

// Takes the host's answer to a slot, which is EMPTY when there is none, and gives its
// io slot back.
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

// Without a free io slot the request has to be made again.
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

// All of a resource, wherever the host wants to put it.
Request read_request(uint handle) { return Request(VYRE_IO_OP_READ, handle, 0u, 0u, 0u); }

Request append_request(Slot s)
{
  return Request(VYRE_IO_OP_WRITE, 0u, s.args[VYRE_RESOURCE_ARG_HANDLE],
      4u * s.args[VYRE_RESOURCE_ARG_WORD], 4u * s.args[VYRE_RESOURCE_ARG_WORDS]);
}

Request sync_request(Slot s)
{
  return Request(VYRE_IO_OP_FENCE, 0u, s.args[VYRE_RESOURCE_ARG_HANDLE], 0u, 0u);
}

// A prefetch is through when the runtime was asked for it; anybody else may want to tell
// how it went.
uint ask_for_miss(uint slot, Slot s)
{
  uint status = ask(slot, read_request(s.args[VYRE_RESOURCE_ARG_HANDLE]));
  bool waits = s.args[VYRE_RESOURCE_ARG_PREFETCH] == 0u || !is_served();
  return waits || status != VYRE_STATUS_WAIT_IO ? status : VYRE_STATUS_DONE;
}

// Copies words of a resident resource to observables, if both have them all.
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

// What was answered may have been evicted before the batch ran again: it is asked for
// once more. Only the runtime has a place to copy from.
uint load_words(uint slot, Slot s, uint answer)
{
  uint handle = s.args[VYRE_RESOURCE_ARG_HANDLE];
  if (answer == VYRE_IO_STATUS_ERROR)
    return VYRE_STATUS_FAULT;
  if (resident_bytes(handle) != VYRE_NOT_RESIDENT)
    return ran_to(copy_words(s));
  if (answer == VYRE_IO_STATUS_OK && !is_served())
    return VYRE_STATUS_FAULT;
  return ask(slot, read_request(handle));
}

uint load_miss(uint slot, Slot s, uint answer)
{
  if (answer == VYRE_STATUS_EMPTY && resident_bytes(s.args[0]) == VYRE_NOT_RESIDENT)
    return ask_for_miss(slot, s);
  return ran_to(answer != VYRE_IO_STATUS_ERROR);
}

bool append_fits(Slot s)
{
  return range_in_control(s.args[VYRE_RESOURCE_ARG_WORD], s.args[VYRE_RESOURCE_ARG_WORDS]);
}

uint ask_host(uint slot, Slot s)
{
  uint answer = VYRE_STATUS_EMPTY;
  if (s.status == VYRE_STATUS_WAIT_IO) {
    answer = take_answer(slot);
    if (answer == VYRE_STATUS_EMPTY)
      return VYRE_STATUS_WAIT_IO;
  }
  switch (s.opcode) {
    case VYRE_OP_LOAD_MISS:
      return load_miss(slot, s, answer);
    case VYRE_OP_LOAD_WORDS:
      return load_words(slot, s, answer);
    default:
      if (answer != VYRE_STATUS_EMPTY)
        return ran_to(answer == VYRE_IO_STATUS_OK);
      if (s.opcode == VYRE_OP_SYNC)
        return ask(slot, sync_request(s));
      return append_fits(s) ? ask(slot, append_request(s)) : VYRE_STATUS_FAULT;
  }
}
