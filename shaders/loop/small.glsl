// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A small batch: one workgroup runs all of it, in shared memory. Its time is that of its
// instructions and barriers, so the workgroup loads each word, and waits for each store, once.

// The number of the template in s_template, and of the template whose words this lane has in
// registers. Numbers start at 1.
shared uint s_template_id;
uint known_template = 0u;

// The step in hand. A lane loads the step of a template once if it is the only one, and a tile.
bool known_alone = false;
bool learns_end = false; // from the batch in hand
uint known_words[VYRE_STEP_WORDS];
Tile known_tile;
uint known_tenant; // of the known fence

void learn_step(uint at, uint kind)
{
  [[unroll]] for (uint i = VYRE_STEP_SLOT; i < VYRE_STEP_WORDS; i++)
    known_words[i] = s_work[at + i];
  if (kind == VYRE_KIND_TILE)
    known_tile = load_tile(known_words[VYRE_STEP_SLOT]);
}

// Finds out, before a batch with a new template runs, whether its only fence is a plain one. Slots
// write to control words alone: what the ring says of the fence stays true.
void learn_fence()
{
  uint fence = about[VYRE_ABOUT_FENCE_FIRST];
  Slot s = load_slot(fence);
  known_fence = about[VYRE_ABOUT_FENCE_END] == fence + 1u && is_fence(s)
      && s.opcode == VYRE_OP_BATCH_FENCE && s.status == VYRE_STATUS_PUBLISHED
      && in_control(VYRE_CONTROL_OBSERVABLES) && about[VYRE_ABOUT_HANDLERS] == 0u;
  known_tenant = s.tenant;
}

// The value that the fence puts into the first observable.
uint fence_value() { return slot_arg(about[VYRE_ABOUT_FENCE_FIRST], 1u); }

// Lane 0. Runs the known fence as run_fences() does, without a look at anything that is known.
void run_known_fence()
{
  if (!is_tenant_authorised(get(control_at(VYRE_CONTROL_TENANT_BASE)), known_tenant))
    return;
  put(control_at(VYRE_CONTROL_OBSERVABLES), fence_value());
  put(slot_at(about[VYRE_ABOUT_FENCE_FIRST]) + VYRE_SLOT_STATUS, VYRE_STATUS_DONE);
  add_alone(control_at(VYRE_CONTROL_EPOCH), 1u);
  add_alone(control_at(VYRE_CONTROL_METRICS + VYRE_OP_BATCH_FENCE), 1u);
  add_alone(control_at(VYRE_CONTROL_DONE_COUNT), 1u);
}

// TRUE before a batch of the known tile runs, if it ends like all others of its template: the tile
// runs, the known fence is behind it, and counts, statuses and the epoch come out the same each time.
bool ends_alike()
{
  return known_tile.runs && known_tile.fits && known_tile.region.observable != 0u && known_fence
      && is_tenant_authorised(get(control_at(VYRE_CONTROL_TENANT_BASE)), known_tenant);
}

// Starts a small batch from a copy of its template, which a batch before with the same template has
// left. Lane 0 adds the tag; it alone loads the tag, for the last fence.
void begin_small(uint template_id)
{
  uint words = ticket[VYRE_TICKET_LOCAL_WORDS], base = ticket[VYRE_TICKET_BASE];
  if (s_template_id != template_id) {
    for (uint i = lane(); i < words; i += WORKGROUP)
      s_template[i] = s_work[i] = work[base + i];
    barrier(); // load_about() and the steps load words that other lanes have copied
  }
  if (known_template != template_id) {
    known_template = template_id;
    load_about();
    learn_fence();
    known_alone = false;
    known_end = false;
  }
  if (lane() == 0u && ticket[VYRE_TICKET_TAG_WORD] != VYRE_NO_TAG_WORD)
    s_work[ticket[VYRE_TICKET_TAG_WORD]] = ticket[VYRE_TICKET_TAG];
  if (lane() == 0u && known_end)
    put(control_at(VYRE_CONTROL_OBSERVABLES), fence_value());
}

// Runs the steps, which lie behind the scratch. Behind a last step that is a tile lane 0 needs no
// barrier to go on with the fences: it has waited for all lanes inside of the tile.
void run_steps(uint steps)
{
  uint step_at = steps_at(), kind = VYRE_KIND_LANES;
  for (uint step = 0u; step < steps; step++, step_at += VYRE_STEP_WORDS) {
    if (step != 0u)
      publish_lanes();
    kind = VYRE_KIND_TILE;
    if (!known_alone) {
      kind = s_work[step_at];
      learn_step(step_at, kind);
      known_alone = steps == 1u && kind == VYRE_KIND_TILE;
      learns_end = known_alone && ends_alike();
    }
    [[unroll]] for (uint i = VYRE_STEP_SLOT; i < VYRE_STEP_WORDS; i++)
      ticket[VYRE_TICKET_SLOT + i - VYRE_STEP_SLOT] = known_words[i];
    if (kind == VYRE_KIND_TILE)
      run_tile(known_tile);
    else
      run_slots(kind);
  }
  if (kind != VYRE_KIND_TILE)
    publish_lanes();
}

// TRUE for a word that batches which end alike have in common: all but observables and the report.
bool is_alike(uint word)
{
  return word < VYRE_CONTROL_OBSERVABLES || (word >= control_words() && word < scratch)
      || word >= scratch_at(VYRE_SCRATCH_SLOTS);
}

// Prepares a word of the next batch. A template that learns the end of its batches keeps the word.
void prepare_word(uint word)
{
  if (learns_end && is_alike(word))
    s_template[word] = s_work[word];
  else
    s_work[word] = s_template[word];
}

// Puts the template back for the next batch, after the completion, when no host waits for it.
void prepare_next_small(uint template_id, uint words)
{
  uint copied = min(4u * about[VYRE_ABOUT_COPIED], words);
  barrier(); // all lanes have copied their part out
  for (uint i = lane(); i < copied; i += WORKGROUP)
    prepare_word(i);
  for (uint i = max(copied, scratch) + lane(); i < words; i += WORKGROUP)
    prepare_word(i);
  if (lane() == 0u)
    s_template_id = template_id;
  known_end = known_end || learns_end;
}

// Before a large batch, which changes registers: what they know is found out anew, from the template
// as it was.
void forget_small()
{
  if (known_end && lane() == 0u)
    s_template_id = 0u;
  known_template = 0u;
  known_end = false;
}

void run_small()
{
  uint words = ticket[VYRE_TICKET_LOCAL_WORDS];
  uint template_id = ticket[VYRE_TICKET_TEMPLATE];
  local_batch = true;
  twin = 0u;
  slice = 0u;
  scratch = ticket[VYRE_TICKET_SCRATCH];
  begin_small(template_id);
  learns_end = false;
  run_steps(is_dropped() ? 0u : ticket[VYRE_TICKET_STEPS]);
  end_batch();
  prepare_next_small(template_id, words);
}
