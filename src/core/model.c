/*
** The API as constant tables.
*/
#include "model.h"

/* The API's name, and what the X-Amz-Target header says. */
#define NAME(name) name, AR_STR_INIT("AppRunner." name)
#define LIST(shape) \
  { .type = AR_LIST, .element = &(shape) }
#define STRUCTURE(members)                                                   \
  {                                                                          \
    AR_STRUCTURE, false, 0, 0, members, sizeof(members) / sizeof *(members), \
        NULL                                                                 \
  }

static const struct ar_shape string = {.type = AR_STRING};
static const struct ar_shape secret_string = {.type = AR_STRING,
                                              .sensitive = true};
static const struct ar_shape secret_map = {
    .type = AR_MAP, .sensitive = true, .element = &secret_string};
static const struct ar_shape boolean = {.type = AR_BOOLEAN};
static const struct ar_shape integer = {.type = AR_INTEGER};
static const struct ar_shape timestamp = {.type = AR_TIMESTAMP};
static const struct ar_shape arn = {.type = AR_STRING, .min = 1, .max = 1011};

static const struct ar_member source_code_version_members[] = {
    {"Type", &string, true}, {"Value", &string, true}};
static const struct ar_shape source_code_version =
    STRUCTURE(source_code_version_members);

static const struct ar_member code_configuration_values_members[] = {
    {"Runtime", &string, true},
    {"BuildCommand", &secret_string, false},
    {"StartCommand", &secret_string, false},
    {"Port", &string, false},
    {"RuntimeEnvironmentVariables", &secret_map, false},
    {"RuntimeEnvironmentSecrets", &secret_map, false}};
static const struct ar_shape code_configuration_values =
    STRUCTURE(code_configuration_values_members);

static const struct ar_member code_configuration_members[] = {
    {"ConfigurationSource", &string, true},
    {"CodeConfigurationValues", &code_configuration_values, false}};
static const struct ar_shape code_configuration =
    STRUCTURE(code_configuration_members);

static const struct ar_member code_repository_members[] = {
    {"RepositoryUrl", &string, true},
    {"SourceCodeVersion", &source_code_version, true},
    {"CodeConfiguration", &code_configuration, false},
    {"SourceDirectory", &string, false}};
static const struct ar_shape code_repository =
    STRUCTURE(code_repository_members);

static const struct ar_member image_configuration_members[] = {
    {"RuntimeEnvironmentVariables", &secret_map, false},
    {"StartCommand", &secret_string, false},
    {"Port", &string, false},
    {"RuntimeEnvironmentSecrets", &secret_map, false}};
static const struct ar_shape image_configuration =
    STRUCTURE(image_configuration_members);

static const struct ar_member image_repository_members[] = {
    {"ImageIdentifier", &string, true},
    {"ImageConfiguration", &image_configuration, false},
    {"ImageRepositoryType", &string, true}};
static const struct ar_shape image_repository =
    STRUCTURE(image_repository_members);

static const struct ar_member authentication_configuration_members[] = {
    {"ConnectionArn", &string, false}, {"AccessRoleArn", &string, false}};
static const struct ar_shape authentication_configuration =
    STRUCTURE(authentication_configuration_members);

static const struct ar_member source_configuration_members[] = {
    {"CodeRepository", &code_repository, false},
    {"ImageRepository", &image_repository, false},
    {"AutoDeploymentsEnabled", &boolean, false},
    {"AuthenticationConfiguration", &authentication_configuration, false}};
static const struct ar_shape source_configuration =
    STRUCTURE(source_configuration_members);

static const struct ar_member instance_configuration_members[] = {
    {"Cpu", &string, false},
    {"Memory", &string, false},
    {"InstanceRoleArn", &string, false}};
static const struct ar_shape instance_configuration =
    STRUCTURE(instance_configuration_members);

static const struct ar_member encryption_configuration_members[] = {
    {"KmsKey", &string, true}};
static const struct ar_shape encryption_configuration =
    STRUCTURE(encryption_configuration_members);

static const struct ar_member health_check_configuration_members[] = {
    {"Protocol", &string, false},
    {"Path", &string, false},
    {"Interval", &integer, false},
    {"Timeout", &integer, false},
    {"HealthyThreshold", &integer, false},
    {"UnhealthyThreshold", &integer, false}};
static const struct ar_shape health_check_configuration =
    STRUCTURE(health_check_configuration_members);

static const struct ar_member auto_scaling_summary_members[] = {
    {"AutoScalingConfigurationArn", &string, false},
    {"AutoScalingConfigurationName", &string, false},
    {"AutoScalingConfigurationRevision", &integer, false},
    {"Status", &string, false},
    {"CreatedAt", &timestamp, false},
    {"HasAssociatedService", &boolean, false},
    {"IsDefault", &boolean, false}};
static const struct ar_shape auto_scaling_summary =
    STRUCTURE(auto_scaling_summary_members);

static const struct ar_member egress_configuration_members[] = {
    {"EgressType", &string, false}, {"VpcConnectorArn", &string, false}};
static const struct ar_shape egress_configuration =
    STRUCTURE(egress_configuration_members);

static const struct ar_member ingress_configuration_members[] = {
    {"IsPubliclyAccessible", &boolean, false}};
static const struct ar_shape ingress_configuration =
    STRUCTURE(ingress_configuration_members);

static const struct ar_member network_configuration_members[] = {
    {"EgressConfiguration", &egress_configuration, false},
    {"IngressConfiguration", &ingress_configuration, false},
    {"IpAddressType", &string, false}};
static const struct ar_shape network_configuration =
    STRUCTURE(network_configuration_members);

static const struct ar_member observability_configuration_members[] = {
    {"ObservabilityEnabled", &boolean, true},
    {"ObservabilityConfigurationArn", &string, false}};
static const struct ar_shape observability_configuration =
    STRUCTURE(observability_configuration_members);

static const struct ar_member service_members[] = {
    {"ServiceName", &string, true},
    {"ServiceId", &string, true},
    {"ServiceArn", &arn, true},
    {"ServiceUrl", &string, false},
    {"CreatedAt", &timestamp, true},
    {"UpdatedAt", &timestamp, true},
    {"DeletedAt", &timestamp, false},
    {"Status", &string, true},
    {"SourceConfiguration", &source_configuration, true},
    {"InstanceConfiguration", &instance_configuration, true},
    {"EncryptionConfiguration", &encryption_configuration, false},
    {"HealthCheckConfiguration", &health_check_configuration, false},
    {"AutoScalingConfigurationSummary", &auto_scaling_summary, true},
    {"NetworkConfiguration", &network_configuration, true},
    {"ObservabilityConfiguration", &observability_configuration, false}};
static const struct ar_shape service = STRUCTURE(service_members);

static const struct ar_member service_summary_members[] = {
    {"ServiceName", &string, false},  {"ServiceId", &string, false},
    {"ServiceArn", &string, false},   {"ServiceUrl", &string, false},
    {"CreatedAt", &timestamp, false}, {"UpdatedAt", &timestamp, false},
    {"Status", &string, false}};
static const struct ar_shape service_summary =
    STRUCTURE(service_summary_members);
static const struct ar_shape service_summary_list = LIST(service_summary);

static const struct ar_member operation_summary_members[] = {
    {"Id", &string, false},           {"Type", &string, false},
    {"Status", &string, false},       {"TargetArn", &string, false},
    {"StartedAt", &timestamp, false}, {"EndedAt", &timestamp, false},
    {"UpdatedAt", &timestamp, false}};
static const struct ar_shape operation_summary =
    STRUCTURE(operation_summary_members);
static const struct ar_shape operation_summary_list = LIST(operation_summary);

static const struct ar_member tag_members[] = {{"Key", &string, false},
                                               {"Value", &string, false}};
static const struct ar_shape tag = STRUCTURE(tag_members);
static const struct ar_shape tag_list = LIST(tag);

/* Inputs and outputs */

static const struct ar_shape page_token = {.type = AR_STRING, .max = 51200};
static const struct ar_shape page_size = {
    .type = AR_INTEGER, .min = 1, .max = 20};

static const struct ar_member service_request_members[] = {
    {"ServiceArn", &arn, true}};
static const struct ar_shape service_request =
    STRUCTURE(service_request_members);

static const struct ar_member list_services_request_members[] = {
    {"NextToken", &page_token, false}, {"MaxResults", &page_size, false}};
static const struct ar_shape list_services_request =
    STRUCTURE(list_services_request_members);

static const struct ar_member list_operations_request_members[] = {
    {"ServiceArn", &arn, true},
    {"NextToken", &page_token, false},
    {"MaxResults", &page_size, false}};
static const struct ar_shape list_operations_request =
    STRUCTURE(list_operations_request_members);

static const struct ar_member tags_request_members[] = {
    {"ResourceArn", &arn, true}};
static const struct ar_shape tags_request = STRUCTURE(tags_request_members);

static const struct ar_member service_response_members[] = {
    {"Service", &service, true}};
static const struct ar_shape service_response =
    STRUCTURE(service_response_members);

static const struct ar_member operation_response_members[] = {
    {"Service", &service, true}, {"OperationId", &string, false}};
static const struct ar_shape operation_response =
    STRUCTURE(operation_response_members);

static const struct ar_member list_services_response_members[] = {
    {"ServiceSummaryList", &service_summary_list, true},
    {"NextToken", &string, false}};
static const struct ar_shape list_services_response =
    STRUCTURE(list_services_response_members);

static const struct ar_member list_operations_response_members[] = {
    {"OperationSummaryList", &operation_summary_list, false},
    {"NextToken", &string, false}};
static const struct ar_shape list_operations_response =
    STRUCTURE(list_operations_response_members);

static const struct ar_member tags_response_members[] = {
    {"Tags", &tag_list, false}};
static const struct ar_shape tags_response = STRUCTURE(tags_response_members);

static const struct ar_operation operations[] = {
    {NAME("DescribeService"), "describe_service", "ServiceArn",
     &service_request, &service_response},
    {NAME("ListOperations"), "list_operations", "ServiceArn",
     &list_operations_request, &list_operations_response},
    {NAME("ListServices"), "list_services", NULL, &list_services_request,
     &list_services_response},
    {NAME("ListTagsForResource"), "list_tags_for_resource", "ResourceArn",
     &tags_request, &tags_response},
    {NAME("PauseService"), "pause_service", "ServiceArn", &service_request,
     &operation_response},
    {NAME("ResumeService"), "resume_service", "ServiceArn", &service_request,
     &operation_response}};

const struct ar_operation *ar_operations(size_t *count) {
  *count = sizeof operations / sizeof *operations;
  return operations;
}
