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
		"PART: directed, fuzz, length64, length32, length16, diff64, diff32, diff16. Random\n"
		"parts run 5 seconds each by default; --full: length goes through all encodings;\n"
		"--lab: the CPU is the lab's, whose known errors are left out.\n");
	return 2;
}

static const char *part_name(const char *what, unsigned int bits)
{
	static char name[16];

	snprintf(name, sizeof(name), "%s%u", what, bits);
	return name;
}

static bool wanted(const char *only, const char *part)
{
	return !only || !strcmp(only, part);
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
	unsigned int bits;
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
	if (wanted(only, "directed"))
		test_directed();
	for (bits = 64; bits >= 16; bits /= 2)
		if (wanted(only, part_name("length", bits)))
			test_length(&options, bits);
	if (wanted(only, "fuzz"))
		test_fuzz(&options);
	for (bits = 64; bits >= 16; bits /= 2)
		if (wanted(only, part_name("diff", bits)))
			test_diff(&options, bits);
	printf("1..%u\n", number);
	return failed ? 1 : 0;
}
