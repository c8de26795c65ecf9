/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/vyre/programs.h>
#include <gst/vyre/results.h>
#include <gst/vyre/table.h>
