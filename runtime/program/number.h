/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the numbers of expressions, which are exact. A number is at least 0, has a whole part
 * of 32 bits, and is value / divisor.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VYRE_DIVISOR_DIGITS 9
#define VYRE_DIVISOR_MAX 1000000000u

typedef struct {
  guint64 value;
  guint32 divisor; /* 1 to VYRE_DIVISOR_MAX */
} VyreNumber;

typedef enum {
  VYRE_NUMBER_FITS,
  VYRE_NUMBER_ABOVE,    /* the whole part has more than 32 bits */
  VYRE_NUMBER_TOO_FINE, /* no divisor in range makes it exact */
  VYRE_NUMBER_BELOW,    /* it is negative */
  VYRE_NUMBER_NONE,     /* the divisor is 0 */
} VyreNumberFit;

VyreNumberFit vyre_number_calculate (guint sign, VyreNumber a, VyreNumber b, VyreNumber *number);

static inline VyreNumber
vyre_number_whole (guint32 value)
{
  return (VyreNumber){ value, 1 };
}

/* The number without its fraction. */
static inline guint32
vyre_number_floor (VyreNumber number)
{
  return (guint32)(number.value / number.divisor);
}

G_END_DECLS
