// SPDX-License-Identifier: LGPL-2.1-or-later
//
// AUDIO_LOUD: where the loud samples of a channel are, by parts of it. Shares of tiles, and those of
// several channels, are joined by their maximums, in any order. A sample belongs to the tile in
// which it starts.

const uint LOUD_SEEN = VYRE_LOUD_PARTS * VYRE_LOUD_PART_WORDS; // samples, behind the parts in s_bins

void loud_join_part(uint part, uint from, uint upto)
{
  if (upto != 0u) {
    atomicMax(s_bins[part * VYRE_LOUD_PART_WORDS + VYRE_LOUD_FROM], from);
    atomicMax(s_bins[part * VYRE_LOUD_PART_WORDS + VYRE_LOUD_UPTO], upto);
  }
}

// A lane has a run of samples, which is of one part or goes on in the next ones.
void audio_loud_tile(Region r, Walk w)
{
  uint how = r.operand, length = r.width * r.rows, limit = slot_arg(VYRE_REGION_ARG_LIMIT);
  uint column = ticket[VYRE_TICKET_COLUMN], width = ticket[VYRE_TICKET_WIDTH];
  uint begin = ticket[VYRE_TICKET_PAYLOAD] + r.offset;
  uint size = max(VYRE_LOUD_PART_SAMPLES(audio_samples_below(how, length, length)), 1u);
  uint first = audio_samples_below(how, length, column);
  uint samples = audio_samples_below(how, length, column + width) - first;
  uint run = (samples + WORKGROUP - 1u) / WORKGROUP, done = lane() * run;
  uint part = (first + done) / size, place = (first + done) % size;
  uint from = 0u, upto = 0u, seen = 0u;
  clear_bins(LOUD_SEEN + 1u);
  for (uint step = 0u; step < run; step++) {
    if (place == size) {
      loud_join_part(part, from, upto);
      part++;
      place = from = upto = 0u;
    }
    bool is_nan;
    uint at = begin + (first + done + step) * VYRE_AUDIO_APART(how);
    uint level = audio_level(how, audio_word(w, at, VYRE_AUDIO_BYTES(how)), is_nan);
    uint magnitude = int(level) < 0 ? 0u - level : level;
    bool is_sample = done + step < samples, is_loud = is_sample && (magnitude >= limit || is_nan);
    seen += uint(is_sample);
    from = is_loud ? max(from, size - place) : from;
    place++;
    upto = is_loud ? place : upto;
  }
  loud_join_part(part, from, upto);
  seen = subgroupAdd(seen);
  if (subgroupElect())
    atomicAdd(s_bins[LOUD_SEEN], seen);
  barrier(); // all lanes have joined
  for (uint word = lane(); word < LOUD_SEEN; word += WORKGROUP) {
    if (s_bins[word] != 0u)
      raise_alone(observable_at(r, VYRE_LOUD_FIRST_PART + word), s_bins[word]); // one lane each
  }
  if (lane() == 0u) // a loop that the device ended early has left samples out
    count_bytes(s_bins[LOUD_SEEN] == samples ? width : 0u);
}

void audio_loud_end(Region r)
{
  uint length = r.width * r.rows;
  raise_alone(observable_at(r, VYRE_LOUD_COUNT), audio_samples_below(r.operand, length, length));
}
