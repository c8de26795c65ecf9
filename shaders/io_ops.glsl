// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Asking the host for what is not there. Nothing waits in the kernel: a slot is
// parked, and goes on when its batch runs again.

// The io slot with the host's answer to a slot, by its tag; VYRE_IO_SLOTS when there
// is none yet.
uint find_answer(uint slot)
{
  uint found = VYRE_IO_SLOTS;
  for (uint i = 0u; i < VYRE_IO_SLOTS && found == VYRE_IO_SLOTS; i++) {
    uint status = get(io_at(i) + VYRE_IO_STATUS);
    bool through = status == VYRE_IO_STATUS_OK || status == VYRE_IO_STATUS_ERROR;
    if (through && get(io_at(i) + VYRE_IO_TAG) == slot)
      found = i;
  }
  return found;
}

// Without a free io slot the request has to be made again.
uint ask(uint slot, uint handle)
{
  uint mine = VYRE_IO_SLOTS;
  for (uint i = 0u; i < VYRE_IO_SLOTS && mine == VYRE_IO_SLOTS; i++) {
    if (exchange(io_at(i) + VYRE_IO_STATUS, VYRE_STATUS_EMPTY, VYRE_STATUS_PUBLISHED)
        == VYRE_STATUS_EMPTY)
      mine = i;
  }
  if (mine == VYRE_IO_SLOTS)
    return VYRE_STATUS_PUBLISHED;
  uint at = io_at(mine);
  put(at + VYRE_IO_OP_TYPE, VYRE_IO_READ);
  put(at + VYRE_IO_SRC_HANDLE, handle);
  for (uint word = VYRE_IO_DST_HANDLE; word <= VYRE_IO_BYTE_COUNT; word++)
    put(at + word, 0u);
  put(at + VYRE_IO_TAG, slot);
  return VYRE_STATUS_WAIT_IO;
}

uint load_miss(uint slot, Slot s)
{
  if (s.status != VYRE_STATUS_WAIT_IO)
    return ask(slot, s.args[0]);
  uint found = find_answer(slot);
  if (found == VYRE_IO_SLOTS)
    return VYRE_STATUS_WAIT_IO;
  bool fine = get(io_at(found) + VYRE_IO_STATUS) == VYRE_IO_STATUS_OK;
  put(io_at(found) + VYRE_IO_STATUS, VYRE_STATUS_EMPTY);
  return ran_to(fine);
}
