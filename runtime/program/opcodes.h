/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: shaders/opcodes.def as the host reads it. The assembler, the disassembler, the
 * planner and vyre_opcode_name() take what they know of an opcode from here.
 */
#pragma once

#include <glib.h>

#include "vyre/program.h"

G_BEGIN_DECLS

#define VYRE_OPCODE_MAX_OPERANDS 3

/* The most words that LOAD_WORDS copies; one lane does it. */
#define VYRE_LOAD_WORDS_MAX 4096u

/* The kinds of operands: how they are written, and which argument words they fill. */
typedef enum {
  VYRE_OPERAND_NONE,      /* terminates VyreOpcode.operands */
  VYRE_OPERAND_VALUE,     /* an expression */
  VYRE_OPERAND_COUNT,     /* an expression; left out: the number of the other slots */
  VYRE_OPERAND_TAG,       /* an expression; left out or "sequence": the batch's sequence number */
  VYRE_OPERAND_REGION,    /* a region: four argument words, then the one of the target */
  VYRE_OPERAND_CHANNEL,   /* samples of audio: the same */
  VYRE_OPERAND_COMPONENT, /* samples: as a region, and the argument word of how they lie */
  VYRE_OPERAND_OTHER,     /* samples like those of the component: from VYRE_OTHER_ARG_OFFSET on */
  VYRE_OPERAND_CHROMA,    /* samples of chroma, which binding folds: see bind_chroma() */
  VYRE_OPERAND_LIMIT,     /* an expression, behind the other component: VYRE_REGION_ARG_LIMIT */
  VYRE_OPERAND_CELLS, /* a constant: cells along an edge of a grid, which make the target's words */
  VYRE_OPERAND_THRESHOLD, /* an expression, 0 to 256 */
  VYRE_OPERAND_WORDS,     /* a constant, 1 to VYRE_LOAD_WORDS_MAX: words of the target */
  VYRE_OPERAND_BLOCK,     /* { operation | operation … } */
} VyreOperandKind;

/* The meanings of "-> result" behind the operands. */
typedef enum {
  VYRE_TARGET_NONE,    /* not allowed */
  VYRE_TARGET_WORD,    /* may replace the last operand; the argument is a control word */
  VYRE_TARGET_INDEX,   /* may replace the last operand; the argument is an observable index */
  VYRE_TARGET_PAYLOAD, /* required; an observable index in VYRE_REGION_ARG_OBSERVABLE */
  VYRE_TARGET_WORDS,   /* required; an observable index behind the operands */
} VyreTarget;

/* The work of a payload opcode on one tile, for the planner. */
typedef struct {
  gboolean linear; /* it takes only regions without padding */
  guint cost;      /* loop iterations of a lane for each of its granules, at most */
  guint deep;      /* granules that a lane takes at an iteration inside a tile of one row */
  gboolean apart;  /* rows stay rows where they touch, because each starts with a sample */
  guint cut;       /* VYRE_CUT_… */
} VyreTileWork;

typedef struct {
  const char *name;
  guint32 opcode;
  VyreOperandKind operands[VYRE_OPCODE_MAX_OPERANDS + 1];
  guint min_operands;
  VyreTarget target;
  VyreResultType type;
  guint words;       /* observables of a target; 0: as VYRE_OPERAND_WORDS or _CELLS say */
  VyreTileWork tile; /* of VYRE_TARGET_PAYLOAD */
  const char *usage; /* for error messages */
  guint32 bytes;     /* of VYRE_OPERAND_COMPONENT: the opcode for samples that are bytes, or 0 */
} VyreOpcode;

extern const char *const vyre_priority_names[VYRE_PRIORITY_LEVELS];

const VyreOpcode *vyre_opcode_find (const char *word, gsize length);
const VyreOpcode *vyre_opcode_get (guint32 opcode);
const char *vyre_opcode_get_units (guint32 opcode);
guint vyre_opcode_max_operands (const VyreOpcode *info);
char *vyre_opcode_list (void);
char *vyre_opcode_list_payload (void);
gboolean vyre_opcode_asks_host (guint32 opcode);
gboolean vyre_opcode_reads_payload (guint32 opcode);
guint32 vyre_opcode_get_extras (guint32 opcode, const guint32 *args);
gboolean vyre_opcode_takes_other (const VyreOpcode *info);
gboolean vyre_opcode_takes_pair (const guint32 *args);
gboolean vyre_opcode_takes_chroma (const VyreOpcode *info);
guint32 vyre_opcode_find_shift (guint32 luma, guint32 chroma);
guint vyre_opcode_count_words (const VyreOpcode *info, const guint32 *args);
gboolean vyre_opcode_takes_region (const VyreOpcode *info, const guint32 *args);

G_END_DECLS
