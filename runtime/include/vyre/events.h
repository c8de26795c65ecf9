/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:events
 * @title: Events
 * @short_description: Conditions over the results of a batch
 *
 * A bound program has the events that its stream can have. The caller asks each of them for its
 * decision over the readback of a batch, and keeps the intervals; docs/program-language.md says
 * where these start and end.
 */

#include <glib.h>

G_BEGIN_DECLS

/**
 * VyreFormula:
 *
 * An expression over the results of a batch.
 */
typedef struct _VyreFormula VyreFormula;

/**
 * VyreFormulas:
 *
 * The expressions over results of a bound program that have names.
 */
typedef struct _VyreFormulas VyreFormulas;

/**
 * VyreDecision:
 * @VYRE_DECISION_NO: the condition does not hold
 * @VYRE_DECISION_YES: the condition holds
 * @VYRE_DECISION_NONE: a division by zero, or a number beyond 127 bits, leaves it open; or the
 *   condition holds, and a value that its event carries is none
 *
 * A condition over results, for one batch.
 */
typedef enum {
  VYRE_DECISION_NO,
  VYRE_DECISION_YES,
  VYRE_DECISION_NONE,
} VyreDecision;

/**
 * VyreCondition:
 *
 * A condition over the results of a batch.
 */
typedef struct _VyreCondition VyreCondition;

/**
 * VYRE_MOST_EVENT_VALUES:
 *
 * The most values that an event carries.
 */
#define VYRE_MOST_EVENT_VALUES 8

/**
 * VyreEventValue:
 * @name: a lower-case name of letters, digits and hyphens that starts with a letter
 * @formula: its number, from -2^63 to 2^64 - 1 without the fraction
 *
 * A number that an event carries.
 */
typedef struct {
  const char *name;
  VyreFormula *formula;
} VyreEventValue;

/**
 * VyreEvent:
 * @name: a lower-case name of letters, digits and hyphens that starts with a letter
 * @time: the time for which its condition has to hold, in ns; 0 for any
 * @condition: (nullable): its condition, which vyre_event_decide() asks; %NULL: it holds always
 * @while_open: (nullable): the condition that keeps an interval open; %NULL: @condition does
 * @of_reference: the condition is the one that keeps the reference, and an interval lasts from one
 *   reference to the next, of which vyre_batch_is_reference() tells
 * @of_quiet: an interval is a run of quiet samples, which vyre_quiet_find() finds, in batches for
 *   which @condition holds, if there is one
 * @loud: of @of_quiet: the first observable of the result of audio_loud
 * @rate: of @of_quiet: samples in a second
 * @values: (array length=n_values): the numbers that it carries; an interval has one of each
 * @n_values: their number, at most %VYRE_MOST_EVENT_VALUES
 *
 * An event of a program.
 */
typedef struct {
  const char *name;
  guint64 time;
  VyreCondition *condition;
  VyreCondition *while_open;
  gboolean of_reference;
  gboolean of_quiet;
  guint loud;
  guint rate;
  VyreEventValue *values;
  guint n_values;
} VyreEvent;

/**
 * vyre_event_decide:
 * @event: an event of a bound program
 * @is_open: whether an interval is open, that is, whether the last decision was %VYRE_DECISION_YES
 * @readback: readback of a batch, from its control part on; the batch ran the bound program
 * @values: (out caller-allocates) (nullable) (array): the numbers that @event carries, as many as
 * it has, where the decision is %VYRE_DECISION_YES; %NULL for an event without any
 * @negative: (out) (nullable): a bit for each of @values, that of the first being 1: where it is
 * set, the number is negative, and a gint64; %NULL for an event without any
 *
 * Decides whether the condition of @event holds for a batch, or that which keeps an interval open,
 * in whole numbers of up to 127 bits. May be called from any thread; it takes no memory and no
 * lock.
 *
 * Returns: the decision
 */
VyreDecision vyre_event_decide (const VyreEvent *event, gboolean is_open, const void *readback,
    guint64 *values, guint *negative);

/**
 * VyreQuiet:
 * @begin: number of the first sample of the run, from 0
 * @end: number of the sample behind the last
 *
 * Quiet samples in a row.
 */
typedef struct {
  guint32 begin;
  guint32 end;
} VyreQuiet;

/**
 * vyre_quiet_find:
 * @words: (array): the words of a result of audio_loud, in native byte order
 * @from: number of a sample; 0, or the end of the run before
 * @quiet: (out caller-allocates): a run that begins at @from or behind it
 *
 * Finds the next quiet samples in a row. Those between two loud samples of one part of the payload,
 * of which there are 32, count as loud. May be called from any thread.
 *
 * Returns: %TRUE if there is such a run
 */
gboolean vyre_quiet_find (const guint32 *words, guint32 from, VyreQuiet *quiet);

/**
 * vyre_quiet_hides:
 * @words: (array): as of vyre_quiet_find()
 *
 * Computes how many quiet samples in a row may be between loud ones of one part, at most.
 *
 * Returns: the number of samples
 */
guint32 vyre_quiet_hides (const guint32 *words);

G_END_DECLS
