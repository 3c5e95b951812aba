// libfyaml 0.7.12 does not give back the list of pieces of a scalar that has more than a few dozen
// (escapes, folded lines): 1 KiB and up for each such scalar, no more than a small multiple of the
// file. Not ours to free; for the leak checker of the targets that read YAML.
extern "C" const char* __lsan_default_suppressions();  // NOLINT: the sanitizer's name
extern "C" const char* __lsan_default_suppressions() { return "leak:fy_atom_iter_grow_chunk\n"; }
