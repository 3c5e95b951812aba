// unpack.h — a bundle's files, written where they can be read by their paths.
//
// They go into `<data folder>/bundle-<16 digits of its checksum>/`; what is there already with the
// same text stays. A table that is not in the bundle is linked from the folder that PENSTOCK_TABLES
// names.
//
// Thread      free functions; any number of processes may unpack one bundle at the same time.
// Errors      B001, B004, B005, B006.
//
//     PENSTOCK_TRY(unpacked, unpack_bundle("article.json", "", data_folder));
#pragma once

#include "base/error.h"

#include <string>

namespace penstock::app {

// By its beginning; false when it cannot be read.
bool is_bundle_file(const std::string& path);

struct Unpacked {
  std::string file;  // of the pipeline
  std::string target;
};
// `target` is empty, or the bundle's.
Result<Unpacked> unpack_bundle(const std::string& path, const std::string& target,
                               const std::string& data_folder);

}  // namespace penstock::app
