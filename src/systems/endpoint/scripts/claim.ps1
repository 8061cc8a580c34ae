# Writes down which operation this host belongs to, unless it belongs to another one than is to be replaced.
param($Parameters)

Use-Host $Parameters {
    $standing = Get-Claim
    if ([string]::Equals($standing, [string] $Parameters.replaces, [StringComparison]::Ordinal)) {
        Save-Text $claimFile $Parameters.claim
        $standing = Get-Claim
    }
    @{ claim = $standing }
}
