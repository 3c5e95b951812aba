// path_text.h — paths as text: joined, made short, related to each other. No file is looked at.
//
// Thread      free functions.
//
//     paths::whole("/at/me", "a/../b.csv");           // "/at/me/b.csv"
//     paths::inside("/at/me/b.csv", "/at/me");      // "b.csv"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penstock::bundle::paths {

// Without "." and, as far as there is something to go up from, without "..".
std::string normal(std::string_view path);
// `path` if it begins with a slash, else that path from `folder`; normal.
std::string whole(std::string_view folder, std::string_view path);
// All before the last slash.
std::string folder_of(std::string_view path);
// The deepest folder that holds every one of these whole paths; never "".
std::string common_folder(const std::vector<std::string>& paths);
// What is left of a whole path below a folder that holds it.
std::string inside(std::string_view path, std::string_view folder);
// Relative, normal, and not up and out.
bool stays_inside(std::string_view path);

}  // namespace penstock::bundle::paths
