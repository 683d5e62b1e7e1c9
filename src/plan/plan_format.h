// What plan_encode.c and plan_decode.c agree on.
#ifndef FIRN_PLAN_PLAN_FORMAT_H
#define FIRN_PLAN_PLAN_FORMAT_H

#define PLAN_MAGIC "FIRNPLAN"
#define PLAN_DEPTH_MAX 1000 // Nodes and expressions nested deeper than this are refused.

#endif
