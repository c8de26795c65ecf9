/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:error
 * @title: Errors
 * @short_description: The one error domain of libvyre
 *
 * Every message ends in "Fix: …", which tells the caller, or the user behind it, what to do.
 */

#include <glib.h>

G_BEGIN_DECLS

/**
 * VyreError:
 * @VYRE_ERROR_NO_LOADER: no Vulkan loader, or no instance could be made
 * @VYRE_ERROR_NO_DEVICE: no Vulkan device matches the selector
 * @VYRE_ERROR_DEVICE: a Vulkan call failed
 * @VYRE_ERROR_DEVICE_LOST: the device is lost; nothing that ran on it can be trusted
 * @VYRE_ERROR_UNSUPPORTED: the device lacks a feature that the call needs
 * @VYRE_ERROR_NO_SPACE: memory or another bounded resource is used up
 * @VYRE_ERROR_TIMEOUT: a deadline passed
 * @VYRE_ERROR_STUCK: the kernel made no progress within its deadline
 * @VYRE_ERROR_IO: reading from a file failed
 * @VYRE_ERROR_SYNTAX: a program's text is wrong; the message starts with line:column
 * @VYRE_ERROR_UNBOUND: a program uses a symbol that this stream does not define
 * @VYRE_ERROR_TOO_LARGE: a payload, program or length is above a limit
 * @VYRE_ERROR_MISALIGNED: a buffer is not a whole number of words or slots
 * @VYRE_ERROR_INVALID: an argument or a buffer breaks the ABI
 * @VYRE_ERROR_QUEUE_FULL: a ring or queue does not accept the slots
 * @VYRE_ERROR_MISSING_WORD: a buffer ends before the word to be read
 * @VYRE_ERROR_REVOKED: a tenant is no longer registered
 * @VYRE_ERROR_ACCESS: a program names a file that it was not granted
 * @VYRE_ERROR_NO_THREAD: the system refuses another thread
 * @VYRE_ERROR_FORKED: the object belongs to a parent of this process, or the driver was used
 *   there and opens no device here
 *
 * Error codes of %VYRE_ERROR.
 */
typedef enum {
  VYRE_ERROR_NO_LOADER,
  VYRE_ERROR_NO_DEVICE,
  VYRE_ERROR_DEVICE,
  VYRE_ERROR_DEVICE_LOST,
  VYRE_ERROR_UNSUPPORTED,
  VYRE_ERROR_NO_SPACE,
  VYRE_ERROR_TIMEOUT,
  VYRE_ERROR_STUCK,
  VYRE_ERROR_IO,
  VYRE_ERROR_SYNTAX,
  VYRE_ERROR_UNBOUND,
  VYRE_ERROR_TOO_LARGE,
  VYRE_ERROR_MISALIGNED,
  VYRE_ERROR_INVALID,
  VYRE_ERROR_QUEUE_FULL,
  VYRE_ERROR_MISSING_WORD,
  VYRE_ERROR_REVOKED,
  VYRE_ERROR_ACCESS,
  VYRE_ERROR_NO_THREAD,
  VYRE_ERROR_FORKED,
} VyreError;

/**
 * VYRE_ERROR:
 *
 * The error domain of libvyre.
 */
#define VYRE_ERROR (vyre_error_quark ())

/**
 * vyre_error_quark:
 *
 * Registers the error domain.
 *
 * Returns: the domain of the errors of libvyre, %VYRE_ERROR
 */
GQuark vyre_error_quark (void);

G_END_DECLS
