terraform {
  backend "local" {}
}
variable "release" {
  type    = string
  default = "1.0"
}
variable "instances" {
  type    = number
  default = 2
}
resource "terraform_data" "service" {
  count = var.instances
  input = { release = var.release, place = count.index }
}
resource "terraform_data" "gateway" {
  input            = terraform_data.service[*].id
  triggers_replace = var.release
}
output "release" { value = var.release }
