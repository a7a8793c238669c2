// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything a host can include with these libraries, and every class template in full.
#include <conclave/fwd.hpp>

#include <conclave/conclave.hpp>
#include <conclave/delivery/in_process.hpp>
#include <conclave/mls/observer.hpp>
#include <conclave/sframe/sender_keys.hpp>
#include <conclave/store/memory.hpp>

namespace cv = conclave;
using provider = cv::default_provider;

template class cv::mls::basic_group<provider>;
template class cv::mls::basic_observer<provider>;
template class cv::sframe::sealer<provider>;
template class cv::sframe::opener<provider>;
template class cv::sas::basic_verification<provider>;
template class cv::basic_meeting<provider>;
template class cv::basic_knock<provider>;
template class cv::basic_lobby<provider>;
template class cv::basic_media_sender<provider>;
template class cv::basic_media_receiver<provider>;
template class cv::recording::basic_recorder<provider>;
template class cv::recording::basic_player<provider>;
#if CONCLAVE_WITH_BOTAN
template class cv::otp::basic_second_factor<cv::otp::botan_hotp, provider>;
template class cv::x509::basic_validator<cv::x509::botan_certificates>;
#endif
