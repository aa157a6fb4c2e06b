// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's test: options, TAP, and the order of its parts.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests.h"

static unsigned int number, failed;

void test_result(bool ok, const char *format, ...)
{
	va_list args;

	printf("%sok %u - ", ok ? "" : "not ", ++number);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	failed += !ok;
}

void test_skip(const char *what)
{
	printf("ok %u - # SKIP %s\n", ++number, what);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: emulator-test [--seconds N | --cases N] [--seed N|random] [--jobs N]\n"
		"                     [--only PART] [--full] [--lab] [--verbose]\n"
		"PART: directed, length, fuzz, diff64, diff32, diff16. Random parts run 5 seconds\n"
		"each by default; --full: length goes through all encodings; --lab: the CPU is\n"
		"the lab's, whose known errors are left out.\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "cases", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 'r' },
		{ "only", required_argument, NULL, 'o' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "full", no_argument, NULL, 'f' },
		{ "lab", no_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	struct test_options options = { .seed = 1, .seconds = 5, .jobs = 1 };
	const char *only = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 's':
			options.seconds = atof(optarg);
			break;
		case 'c':
			options.cases = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			/* Far from 0, where everybody's runs by hand begin. */
			options.seed = !strcmp(optarg, "random") ? (u64)time(NULL) << 24 :
				       strtoull(optarg, NULL, 0);
			break;
		case 'j':
			options.jobs = atoi(optarg);
			if (options.jobs < 1 || options.jobs > 256)
				return usage();
			break;
		case 'f':
			options.full = true;
			break;
		case 'l':
			options.lab = true;
			break;
		case 'o':
			only = optarg;
			break;
		case 'v':
			options.verbose = true;
			break;
		default:
			return usage();
		}
	}
	printf("TAP version 13\n");
	if (options.seed != 1)
		printf("# seed %llu\n", options.seed);
	if (!only || !strcmp(only, "directed"))
		test_directed();
	if (!only || !strcmp(only, "length"))
		test_length(&options);
	if (!only || !strcmp(only, "fuzz"))
		test_fuzz(&options);
	if (!only || !strcmp(only, "diff64"))
		test_diff(&options, 64);
	if (!only || !strcmp(only, "diff32"))
		test_diff(&options, 32);
	if (!only || !strcmp(only, "diff16"))
		test_diff(&options, 16);
	printf("1..%u\n", number);
	return failed ? 1 : 0;
}
