output "values" {
  description = "For Penstock's chart: terraform output -raw values > values-made.yaml"
  value       = module.design.values
}

output "keda_values" {
  description = "For KEDA's chart."
  value       = module.design.keda_values
}

output "autoscaler_values" {
  description = "For the cluster autoscaler's chart; \"\" on Fargate, where nothing is to be scaled."
  value       = var.nodes == "managed" ? module.design.autoscaler_values : ""
}

output "image" {
  description = "Where the image is pushed to."
  value       = module.ecr.repository
}

output "brokers" {
  description = "The brokers, by IAM over TLS."
  value       = local.has_msk ? module.msk[0].bootstrap : ""
}

output "kubeconfig" {
  description = "How to reach the cluster."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${module.eks.name}"
}
