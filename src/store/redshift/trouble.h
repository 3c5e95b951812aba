// trouble.h — whose turn it is after an error of Redshift's, or of AWS's before it.
//
// Redshift reports much under PostgreSQL's XX000, so that its words decide: 1023 (a transaction
// that could not be put in line with others: the same again), a load that refused rows, S3 or a
// role that COPY may not use. The Data API tells no SQLSTATE at all: from_words() finds the one
// that the words stand for.
//
// Thread      free functions.
// Errors      S045 what COPY may not read; else as to_error() has it.
#pragma once

#include "store/libpq/connection.h"

#include <string>
#include <string_view>

namespace penstock::store::redshift {

// The error as it is meant.
DbError understood(DbError error);
// "ERROR: relation \"t\" does not exist"
DbError from_words(std::string message);
// No login, or no Data API.
DbError of_aws(const Error& error);
bool is_division(const DbError& error);
Error error_about(const DbError& error, std::string_view where);

}  // namespace penstock::store::redshift
