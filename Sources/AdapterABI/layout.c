/* Compiles the header alone: its static assertions are the test. */
#include "meter_adapter.h"
