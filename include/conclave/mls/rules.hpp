// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The catalogue: every check of RFC 9420 that a message can fail behind a well-formed encoding, in the order of the
/// RFC. A failure carries its rule, so a log says which one, and a test proves which one.
#pragma once

#include <conclave/result.hpp>

namespace conclave::inline CONCLAVE_ABI::mls::rules {

// 5, 6: cryptographic objects and framing
inline constexpr rule supported_suite{"the cipher suite is not served here", "RFC 9420 5.1"};
inline constexpr rule supported_version{"the protocol version is not mls10", "RFC 9420 6"};
inline constexpr rule credential_size{"a credential is longer than the limit", "RFC 9420 5.3"};
inline constexpr rule identity_admitted{"the validator of this member does not admit an identity", "RFC 9420 5.3.1"};
inline constexpr rule known_wire_format{"the wire format is not known", "RFC 9420 6"};
inline constexpr rule known_content_type{"the content type is not known", "RFC 9420 6"};
inline constexpr rule known_sender_type{"the sender type is not known", "RFC 9420 6"};
inline constexpr rule known_group{"the message belongs to another group", "RFC 9420 6.1"};
inline constexpr rule current_epoch{"the message belongs to another epoch", "RFC 9420 6.1"};
inline constexpr rule sender_allows_content{"this kind of sender may not send this kind of content", "RFC 9420 6.1"};
inline constexpr rule sender_is_member{"the sender's leaf is blank or outside the tree", "RFC 9420 6.1"};
inline constexpr rule content_signature{"the signature of the content does not verify", "RFC 9420 6.1"};
inline constexpr rule application_is_private{"application data came as a PublicMessage", "RFC 9420 6"};
inline constexpr rule membership_tag{"the membership tag does not verify", "RFC 9420 6.2"};
inline constexpr rule padding_is_zero{"the padding is not all zero", "RFC 9420 6.3.1"};
inline constexpr rule content_tag{"the content does not decrypt", "RFC 9420 6.3.1"};
inline constexpr rule sender_data_tag{"the sender data does not decrypt", "RFC 9420 6.3.2"};
inline constexpr rule own_message{"the message was sent by this member itself", "RFC 9420 6.3.2"};

// 7: the ratchet tree
inline constexpr rule known_node_type{"the node type is not known", "RFC 9420 7.8"};
inline constexpr rule unmerged_ascending{"unmerged_leaves is not strictly ascending", "RFC 9420 7.1"};
inline constexpr rule known_leaf_node_source{"the leaf node source is not known", "RFC 9420 7.2"};
inline constexpr rule no_default_capabilities{"capabilities list a default type", "RFC 9420 7.2"};
inline constexpr rule lifetime_not_too_long{"the lifetime is longer than allowed", "RFC 9420 7.2"};
inline constexpr rule lifetime_is_current{"the lifetime does not cover the present", "RFC 9420 7.3"};
inline constexpr rule leaf_signature{"the signature of a leaf node does not verify", "RFC 9420 7.3"};
inline constexpr rule leaf_supports_suite{"a leaf node does not support the group's version and suite", "RFC 9420 7.2"};
inline constexpr rule required_capabilities{"a leaf node lacks a required capability", "RFC 9420 7.3"};
inline constexpr rule credential_supported_by_all{"a credential type is not supported by all members", "RFC 9420 7.3"};
inline constexpr rule leaf_extensions_supported{"a leaf node carries an extension it does not list", "RFC 9420 7.3"};
inline constexpr rule leaf_extensions_size{"the extensions of a leaf node or key package are longer than the limit",
                                           "limits.hpp"};
inline constexpr rule group_extensions_size{"the extensions of the GroupContext are longer than the limit",
                                            "limits.hpp"};
inline constexpr rule leaf_node_source{"the leaf node source does not fit where the leaf node appears", "RFC 9420 7.3"};
inline constexpr rule leaf_key_is_new{"the encryption key was not changed", "RFC 9420 7.3"};
inline constexpr rule unique_keys{"a signature or encryption key occurs twice in the tree", "RFC 9420 7.3"};
inline constexpr rule valid_public_key{"a public key is not valid for the suite", "RFC 9420 7.3"};
inline constexpr rule path_keys_derived{"a public key of the path is not the one its secret gives", "RFC 9420 7.5"};
inline constexpr rule path_length{"the path does not have one node per filtered direct path node", "RFC 9420 7.5"};
inline constexpr rule ciphertext_per_resolution{"the number of ciphertexts is not the size of the resolution",
                                                "RFC 9420 7.6"};
inline constexpr rule path_secret_opens{"the path secret does not decrypt", "RFC 9420 7.6"};
inline constexpr rule tree_size{"the tree has more leaves than the limit", "RFC 9420 7.7"};
inline constexpr rule parent_hash_valid{"a parent node is not parent-hash valid", "RFC 9420 7.9.2"};
inline constexpr rule leaf_parent_hash{"the committer's parent hash is not the expected one", "RFC 9420 7.9.2"};

// 8, 9: key schedule and secret tree
inline constexpr rule psk_nonce_length{"a psk_nonce does not have KDF.Nh bytes", "RFC 9420 8.4"};
inline constexpr rule psk_type{"a pre-shared key has an unknown type or usage", "RFC 9420 8.4"};
inline constexpr rule psk_usage{"a pre-shared key for reinit or branch is not alone or not in its place",
                                "RFC 9420 12.1.4"};
inline constexpr rule psk_available{"a pre-shared key is not available", "RFC 9420 12.4.2"};
inline constexpr rule psk_count{"more pre-shared keys than the limit", "RFC 9420 8.4"};
inline constexpr rule generation_window{"the generation is too far ahead", "RFC 9420 15.3"};
inline constexpr rule generations_in_reach{
    "restarts have skipped more generations than others follow: wait for an epoch", "RFC 9420 15.3"};
inline constexpr rule generations_reserved{"the generations that the last snapshot reserved are used up: take another",
                                           "RFC 9420 6.3.1"};
inline constexpr rule generation_used{"the key of this generation was used or dropped", "RFC 9420 9.2"};

// 10, 11: key packages and groups
inline constexpr rule key_package_suite{"the key package is for another version or suite", "RFC 9420 10.1"};
inline constexpr rule key_package_signature{"the signature of a key package does not verify", "RFC 9420 10.1"};
inline constexpr rule init_key_differs{"init key and encryption key are the same", "RFC 9420 10.1"};
inline constexpr rule group_extensions_supported{"a member does not support an extension of the group",
                                                 "RFC 9420 11.1"};

// 12: proposals and commits
inline constexpr rule proposal_supported_by_all{"a member does not support a proposal type", "RFC 9420 12.2"};
inline constexpr rule update_sender{"an Update did not come from a member", "RFC 9420 12.1.2"};
inline constexpr rule remove_target{"the leaf to remove is blank or outside the tree", "RFC 9420 12.1.3"};
inline constexpr rule reinit_version{"a ReInit lowers the version", "RFC 9420 12.1.5"};
inline constexpr rule unique_extensions{"an extension type occurs twice", "RFC 9420 13.4"};
inline constexpr rule known_reference{"a commit refers to a proposal that was not received", "RFC 9420 12.4"};
inline constexpr rule update_by_committer{"the commit contains an Update of the committer", "RFC 9420 12.2"};
inline constexpr rule removes_committer{"the commit removes its committer", "RFC 9420 12.2"};
inline constexpr rule self_remove_by_reference{"a SelfRemove is not a member's own, public and by reference",
                                               "draft-ietf-mls-extensions"};
inline constexpr rule external_sender{"the sender is not among the external senders of the group", "RFC 9420 12.1.8"};
inline constexpr rule commit_rules{"the application's rules forbid this commit or proposal", "RFC 9420 12.2"};
inline constexpr rule one_change_per_leaf{"two proposals change the same leaf", "RFC 9420 12.2"};
inline constexpr rule unique_psk_ids{"two proposals name the same pre-shared key", "RFC 9420 12.2"};
inline constexpr rule one_group_context_extensions{"more than one GroupContextExtensions", "RFC 9420 12.2"};
inline constexpr rule reinit_alone{"a ReInit stands together with other proposals", "RFC 9420 12.2"};
inline constexpr rule no_external_init{"an ExternalInit outside an external commit", "RFC 9420 12.2"};
inline constexpr rule external_commit_proposals{"an external commit contains what it may not", "RFC 9420 12.2"};
inline constexpr rule path_required{"the commit needs a path and has none", "RFC 9420 12.4"};
inline constexpr rule path_keys_are_new{"a key of the path already occurs in the tree", "RFC 9420 12.4.2"};
inline constexpr rule confirmation_tag{"the confirmation tag does not verify", "RFC 9420 12.4.2"};
inline constexpr rule pending_proposal_limit{"more pending proposals than the limit", "RFC 9420 12.1"};
inline constexpr rule commit_before_application{"proposals are pending: commit before sending application data",
                                                "RFC 9420 12.4"};

// 12.4.3: joining
inline constexpr rule welcome_for_me{"the Welcome holds no secrets for this key package", "RFC 9420 12.4.3.1"};
inline constexpr rule welcome_opens{"the Welcome does not decrypt", "RFC 9420 12.4.3.1"};
inline constexpr rule tree_available{"no ratchet tree came with the Welcome or beside it", "RFC 9420 12.4.3.1"};
inline constexpr rule tree_hash_matches{"the tree does not have the announced tree hash", "RFC 9420 12.4.3.1"};
inline constexpr rule group_info_signature{"the signature of the GroupInfo does not verify", "RFC 9420 12.4.3.1"};
inline constexpr rule group_id_unique{"this client is already in a group with this id", "RFC 9420 12.4.3"};
inline constexpr rule group_info_current{"the GroupInfo does not describe the present state of the group",
                                         "RFC 9420 12.4.3"};
inline constexpr rule group_info_suite{"version or suite of the GroupInfo do not match", "RFC 9420 12.4.3.1"};
inline constexpr rule unmerged_leaf_below{"an unmerged leaf is blank or not below its parent", "RFC 9420 12.4.3.1"};
inline constexpr rule unmerged_in_between{"an unmerged leaf is missing in a node in between", "RFC 9420 12.4.3.1"};
inline constexpr rule external_pub_present{"the GroupInfo has no external_pub", "RFC 9420 12.4.3.2"};
inline constexpr rule successor_epoch{"a group that continues another does not begin with epoch 1",
                                      "RFC 9420 12.4.3.1"};
inline constexpr rule successor_parameters{"a group that continues another has other parameters",
                                           "RFC 9420 11.2, 11.3"};
inline constexpr rule successor_members{"a group that continues another has other members", "RFC 9420 11.2, 11.3"};
inline constexpr rule no_message_after_reinit{"the group was reinitialized and sends nothing more", "RFC 9420 12.4.2"};
inline constexpr rule my_leaf_present{"the tree does not hold the leaf of this key package", "RFC 9420 12.4.3.1"};
inline constexpr rule path_secret_matches{"the path secret does not give the keys of the tree", "RFC 9420 12.4.3.1"};
inline constexpr rule node_type_by_position{"a leaf stands in a parent's place or the reverse", "RFC 9420 12.4.3.3"};
inline constexpr rule last_node_not_blank{"the ratchet tree ends in a blank node", "RFC 9420 12.4.3.3"};

}  // namespace conclave::mls::rules
