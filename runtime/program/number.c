/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/number.h"

/* Products of two values, each below 2^62. */
__extension__ typedef unsigned __int128 Wide;

static Wide
number_common_divisor (Wide a, Wide b)
{
  while (b != 0) {
    Wide rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Cancels value / divisor, and tells whether the number is in range. */
static VyreNumberFit
number_fit (Wide value, Wide divisor, VyreNumber *number)
{
  Wide common = number_common_divisor (value, divisor);

  value /= common;
  divisor /= common;
  if (value / divisor > G_MAXUINT32)
    return VYRE_NUMBER_ABOVE;
  if (divisor > VYRE_DIVISOR_MAX)
    return VYRE_NUMBER_TOO_FINE;
  *number = (VyreNumber){ (guint64)value, (guint32)divisor };
  return VYRE_NUMBER_FITS;
}

/* Applies one of + - * / % to two numbers; a quotient is without its fraction. The signs < and >
 * stand for the lesser and the greater of both. */
VyreNumberFit
vyre_number_calculate (guint sign, VyreNumber a, VyreNumber b, VyreNumber *number)
{
  Wide left = (Wide)a.value * b.divisor, right = (Wide)b.value * a.divisor;
  Wide divisor = (Wide)a.divisor * b.divisor;

  switch (sign) {
    case '+':
      return number_fit (left + right, divisor, number);
    case '-':
      return left < right ? VYRE_NUMBER_BELOW : number_fit (left - right, divisor, number);
    case '*':
      return number_fit ((Wide)a.value * b.value, divisor, number);
    case '<':
      *number = left < right ? a : b;
      return VYRE_NUMBER_FITS;
    case '>':
      *number = left > right ? a : b;
      return VYRE_NUMBER_FITS;
    default:
      if (right == 0)
        return VYRE_NUMBER_NONE;
      return sign == '/' ? number_fit (left / right, 1, number)
                         : number_fit (left % right, divisor, number);
  }
}
