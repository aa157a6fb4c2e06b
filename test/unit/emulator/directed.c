#include "tests.h"
void test_directed(void) {}
